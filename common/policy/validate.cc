#include "common/policy/validate.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/policy/validate_report.h"

namespace yuezhan::policy {
namespace {

// Rules that hold "as a rule" (原则上) and those an officer may accept by name.
constexpr std::string_view kExceptableRules[] = {"filing.host-kind", "filing.contract-party",
                                                 "filing.society-rank", "filing.industry-tie"};

constexpr std::string_view kMediaTypes[] = {"application/pdf", "application/ofd", "image/jpeg",
                                            "image/png"};

// What the values must be to one another.
class Contents {
 public:
  explicit Contents(Report* report) : report_(*report) {}

  void Set(const v1::PolicySet& set, const At& at);

 private:
  void Add(const At& at, std::string_view what) { report_.Add(at, what); }
  void Version(const v1::Policy& policy, const At& at);
  void Levels(const v1::Policy& policy, const At& at);
  void Kinds(const v1::Policy& policy, const At& at);
  void Application(const v1::Application& application, const At& at);
  void Evaluation(const v1::Evaluation& evaluation, const At& at);
  void Separation(const v1::Policy& policy, const At& at);

  Report& report_;
};

void Contents::Levels(const v1::Policy& policy, const At& at) {
  std::set<int> seen, kinds, mapped;
  for (const v1::HostKind& kind : policy.host_kinds().kinds()) kinds.insert(kind.kind());
  for (const v1::HostKindMapping& mapping : policy.host_kinds().mappings())
    mapped.insert(mapping.kind());
  for (int i = 0; i < policy.levels_size(); ++i) {
    const v1::Level& level = policy.levels(i);
    const At place = Place(at, policy, "levels", i);
    if (!seen.insert(level.level()).second)
      Add(Place(place, level, "level"), "the level stands here twice");
    for (int k = 0; k < level.host_kinds_size(); ++k) {
      const At kind = Place(place, level, "host_kinds", k);
      if (kinds.count(level.host_kinds(k)) == 0) Add(kind, "the kind has no entry in host_kinds");
      if (mapped.count(level.host_kinds(k)) != 0)
        Add(kind, "the kind is taken for another by a mapping");
    }
  }
}

void Contents::Kinds(const v1::Policy& policy, const At& at) {
  const v1::HostKinds& section = policy.host_kinds();
  const At host_kinds = Place(at, policy, "host_kinds");
  std::set<int> seen, mapped;
  for (int i = 0; i < section.kinds_size(); ++i) {
    if (!seen.insert(section.kinds(i).kind()).second) {
      Add(Place(host_kinds, section, "kinds", i), "the kind stands here twice");
    }
  }
  for (const auto& mapping : section.mappings()) mapped.insert(mapping.kind());
  if (static_cast<int>(mapped.size()) != section.mappings_size()) {
    Add(host_kinds, "a kind is mapped twice");
  }
  for (int i = 0; i < section.mappings_size(); ++i) {
    if (mapped.count(section.mappings(i).taken_for()) != 0) {
      Add(Place(host_kinds, section, "mappings", i), "taken for a kind that is itself mapped");
    }
  }
  seen.clear();
  for (int i = 0; i < policy.work().kinds_size(); ++i) {
    if (!seen.insert(policy.work().kinds(i).kind()).second) {
      Add(Place(Place(at, policy, "work"), policy.work(), "kinds", i),
          "the kind stands here twice");
    }
  }
  const auto& chains = policy.industry().chains();
  if (std::none_of(chains.begin(), chains.end(),
                   [](const auto& c) { return c.counts_for_article_1(); })) {
    Add(Place(at, policy, "industry"),
        "no chain counts for article 1, so no station could be filed");
  }
  const At filing = Place(at, policy, "filing");
  for (int i = 0; i < policy.filing().exceptable_rules_size(); ++i) {
    if (!In(kExceptableRules, policy.filing().exceptable_rules(i))) {
      Add(Place(filing, policy.filing(), "exceptable_rules", i),
          absl::StrCat("no rule that can be excepted: ", policy.filing().exceptable_rules(i)));
    }
  }
}

void Contents::Application(const v1::Application& application, const At& at) {
  std::set<int> years;
  for (int i = 0; i < application.rounds_size(); ++i) {
    const v1::Round& round = application.rounds(i);
    const At place = Place(at, application, "rounds", i);
    if (!years.insert(round.subsidy_year()).second) Add(place, "a second round of the year");
    if (round.closes_on() < round.opens_on()) Add(place, "closes before it opens");
  }
  int required = 0;
  for (int i = 0; i < application.materials_size(); ++i) {
    const v1::Material& material = application.materials(i);
    required += material.required();
    for (int k = 0; k < material.media_types_size(); ++k) {
      if (!In(kMediaTypes, material.media_types(k))) {
        Add(Place(Place(at, application, "materials", i), material, "media_types", k),
            absl::StrCat("unknown media type: ", material.media_types(k)));
      }
    }
  }
  if (required > application.max_materials()) {
    Add(Place(at, application, "max_materials"), "less than the required materials");
  }
}

void Contents::Evaluation(const v1::Evaluation& evaluation, const At& at) {
  for (int i = 0; i < evaluation.grades_size(); ++i) {
    const v1::Grade& grade = evaluation.grades(i);
    const At place = Place(at, evaluation, "grades", i);
    if (i > 0 && grade.min_score() >= evaluation.grades(i - 1).min_score()) {
      Add(place, "grades go from the best down");
    }
    if (i > 0 && grade.passes() && !evaluation.grades(i - 1).passes()) {
      Add(place, "passes though a better grade fails");
    }
    if (i + 1 == evaluation.grades_size() && grade.min_score() != 0) {
      Add(place, "the last grade must start at 0");
    }
  }
  if (!evaluation.failure_debars() && evaluation.debarment_years() != 0) {
    Add(Place(at, evaluation, "debarment_years"), "contradicts failure_debars: false");
  }
  if (!evaluation.failure_debars() && evaluation.municipal_failure_debars()) {
    Add(Place(at, evaluation, "municipal_failure_debars"), "contradicts failure_debars: false");
  }
}

void Contents::Separation(const v1::Policy& policy, const At& at) {
  using common::v1::Act;
  const v1::Separation& separation = policy.separation();
  const At place = Place(at, policy, "separation");
  std::set<std::pair<int, int>> pairs;
  for (int i = 0; i < separation.incompatible_size(); ++i) {
    const int first = separation.incompatible(i).first();
    const int second = separation.incompatible(i).second();
    if (!pairs.emplace(std::min(first, second), std::max(first, second)).second) {
      Add(Place(place, separation, "incompatible", i), "the pair stands here twice");
    }
  }
  if (policy.review().opinion_by_two_officers() &&
      pairs.count({Act::ACT_PREPARE, Act::ACT_APPROVE}) == 0) {
    Add(place, "review.opinion_by_two_officers needs the pair ACT_PREPARE, ACT_APPROVE");
  }
  if (policy.payment().by_two_officers() && pairs.count({Act::ACT_PREPARE, Act::ACT_PAY}) == 0) {
    Add(place, "payment.by_two_officers needs the pair ACT_PREPARE, ACT_PAY");
  }
}

void Contents::Version(const v1::Policy& policy, const At& at) {
  const v1::Document& document = policy.document();
  if (!document.effective_to().empty() && document.effective_to() < document.effective_from()) {
    Add(Place(Place(at, policy, "document"), document, "effective_to"), "before effective_from");
  }
  Levels(policy, at);
  Kinds(policy, at);
  Application(policy.application(), Place(at, policy, "application"));
  Evaluation(policy.evaluation(), Place(at, policy, "evaluation"));
  Separation(policy, at);
  if (!policy.notice().changed_list_published_anew()) {
    // Article 5.3 publishes amounts: money that nobody was shown is not paid.
    Add(Place(Place(at, policy, "notice"), policy.notice(), "changed_list_published_anew"),
        "must be true: article 5.3 has amounts published, changed ones too");
  }
}

void Contents::Set(const v1::PolicySet& set, const At& at) {
  std::set<std::string> names;
  for (int i = 0; i < set.versions_size(); ++i) {
    const At place = Place(at, set, "versions", i);
    Version(set.versions(i), place);
    if (!names.insert(set.versions(i).version()).second)
      Add(place, "a second version of that name");
    if (i == 0) continue;
    const v1::Document& before = set.versions(i - 1).document();
    if (before.effective_to().empty() ||
        before.effective_to() >= set.versions(i).document().effective_from()) {
      Add(Place(place, set.versions(i), "document"),
          "effective_from must be after effective_to of the version before");
    }
  }
}

}  // namespace

std::vector<std::string> Validate(const v1::PolicySet& set,
                                  const google::protobuf::TextFormat::ParseInfoTree& places,
                                  std::string_view name) {
  Report report(name);
  At root;
  root.tree = &places;
  CheckShape(set, root, &report);
  if (report.errors.empty()) Contents(&report).Set(set, root);
  return report.errors;
}

}  // namespace yuezhan::policy
