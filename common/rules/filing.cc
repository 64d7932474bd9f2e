#include "common/rules/filing.h"

#include <algorithm>

#include "common/rules/internal.h"

namespace yuezhan::rules {
namespace {

using common::v1::ContractParty;
using common::v1::SocietyRank;
using Filing = Question<v1::FilingFacts>;

// Article 2: the level is one that is filed.
void Level(const Filing& q, Verdict& v) {
  v.Fact("level", std::string(LevelEn(q.policy, q.facts.level())));
  if (policy::FindLevel(q.policy, q.facts.level()) != nullptr) {
    return v.Satisfied(Concat({"级别为", LevelZh(q.policy, q.facts.level()), "。"}),
                       Concat({"The level is ", LevelEn(q.policy, q.facts.level()), "."}));
  }
  v.Violated("请选择学会服务站的级别。", "Please give the level of the station.");
}

// Article 1: it serves at least one priority chain.
void IndustryChain(const Filing& q, Verdict& v) {
  const policy::v1::IndustryChain* counted = nullptr;
  for (const std::string& code : q.facts.industry_chains()) {
    v.Fact("industry_chain", code);
    const policy::v1::IndustryChain* chain = policy::FindChain(q.policy, code);
    if (chain == nullptr) {
      return v.Violated(
          Concat({"“", code, "”不在现行产业链名单中，请按备案登记表所列选择。"}),
          Concat({"\"", code,
                  "\" is no industry chain of the list in force. Please choose from the form."}));
    }
    if (chain->counts_for_article_1() && counted == nullptr) counted = chain;
  }
  if (counted != nullptr) {
    return v.Satisfied(Concat({"服务优势产业链“", counted->name_zh(), "”。"}),
                       Concat({"It serves the priority chain \"", counted->name_en(), "\"."}));
  }
  v.Violated(
      "所选业务领域中没有优势产业链。请至少选择一条本站服务的优势产业链；其他服务领域可以同时选，但"
      "不能单独作为依据。",
      "None of the chosen fields is a priority industry chain. Please choose at least one; a field "
      "of service "
      "may stand beside it, not alone.");
}

// Article 1: it fits local demand (专业对口), which an officer confirms.
void DemandFit(const Filing& q, Verdict& v) {
  if (!q.policy.filing().demand_fit_required()) {
    return v.NotApplicable("现行办法不要求确认专业对口。",
                           "The policy asks for no confirmation of the fit.");
  }
  const common::v1::Confirmation& fit = q.facts.demand_fit();
  v.Fact("demand_fit", fit.confirmed() ? "confirmed" : "-");
  if (Confirmed(fit)) {
    return v.Satisfied(Concat({"已确认与地方产业发展需求专业对口：", fit.reason()}),
                       Concat({"The fit with local demand is confirmed: ", fit.reason()}));
  }
  v.Violated(Concat({"尚未确认与地方产业发展需求专业对口。请", Association(q.policy),
                     "工作人员核实并写明理由。"}),
             "The fit with the demand of local industry is not confirmed. An officer of the "
             "association must confirm it "
             "with a reason.");
}

// Article 2: a national station's contract is signed by the municipal association.
void ContractPartyFits(const Filing& q, Verdict& v) {
  const policy::v1::Level* level = policy::FindLevel(q.policy, q.facts.level());
  if (level == nullptr || level->contract_party() == ContractParty::CONTRACT_PARTY_UNSPECIFIED) {
    return v.NotApplicable("此级别不限定签约方。", "No contract party is fixed for this level.");
  }
  v.Fact("contract_party", ContractParty_Name(q.facts.contract_party()));
  if (q.facts.contract_party() == level->contract_party()) {
    return v.Satisfied("签约方符合规定。", "The contract party is as the regulation says.");
  }
  const bool association =
      level->contract_party() == ContractParty::CONTRACT_PARTY_MUNICIPAL_ASSOCIATION;
  v.Violated(
      Concat({level->name_zh(), "学会服务站原则上由",
              association ? Association(q.policy) : "建站单位",
              "签约。请改由其签约；确需例外的，由", Association(q.policy),
              "工作人员写明理由后批准。"}),
      Concat({"The contract of a ", level->name_en(), " station is as a rule signed by the ",
              association ? "municipal association" : "host unit",
              ". Please have it sign, or ask the association for an exception with a reason."}));
}

// Article 2: the host unit's kind fits the level.
void HostKind(const Filing& q, Verdict& v) {
  const policy::v1::Level* level = policy::FindLevel(q.policy, q.facts.level());
  if (level == nullptr)
    return v.NotApplicable("级别未定，暂不判断。", "Not judged without a level.");
  const common::v1::HostUnitKind kind = policy::TakenFor(q.policy, q.facts.host().kind());
  const std::string_view zh = policy::HostKindZh(q.policy, q.facts.host().kind());
  const std::string_view en = policy::HostKindEn(q.policy, q.facts.host().kind());
  v.Fact("host.kind", std::string(en)).Fact("level", level->name_en());
  std::vector<std::string_view> fitting_zh, fitting_en;
  for (int fitting : level->host_kinds()) {
    if (fitting == kind) {
      return v.Satisfied(
          Concat({"建站单位类型（", zh, "）符合", level->name_zh(), "学会服务站的规定。"}),
          Concat({"A ", en, " may host a ", level->name_en(), " station."}));
    }
    const auto value = static_cast<common::v1::HostUnitKind>(fitting);
    fitting_zh.push_back(policy::HostKindZh(q.policy, value));
    fitting_en.push_back(policy::HostKindEn(q.policy, value));
  }
  v.Violated(
      Concat({level->name_zh(), "学会服务站原则上建在", ListZh(fitting_zh, "或"), "，现建站单位为",
              zh.empty() ? std::string_view("未填写类型的单位") : zh,
              "。请调整建站单位；确需例外的，由", Association(q.policy),
              "工作人员写明理由后批准。"}),
      Concat({"A ", level->name_en(), " station is as a rule hosted by: ", ListEn(fitting_en, " or "),
              "; this host is: ", en.empty() ? std::string_view("of no kind") : en,
              ". Please choose another host, or ask the association for an exception with a "
              "reason."}));
}

// Article 2: a national station's host is closely tied to the industry, which an officer confirms.
void IndustryTie(const Filing& q, Verdict& v) {
  const policy::v1::Level* level = policy::FindLevel(q.policy, q.facts.level());
  if (level == nullptr || !level->industry_tie_required()) {
    return v.NotApplicable("此级别不要求确认与产业紧密相连。",
                           "No tie to the industry is asked for at this level.");
  }
  const common::v1::Confirmation& tie = q.facts.industry_tie();
  v.Fact("industry_tie", tie.confirmed() ? "confirmed" : "-");
  if (Confirmed(tie)) {
    return v.Satisfied(
        Concat({"已确认建站单位与产业紧密相连：", tie.reason()}),
        Concat({"The host's close tie to the industry is confirmed: ", tie.reason()}));
  }
  v.Violated(Concat({level->name_zh(), "学会服务站应设在与产业紧密相连的单位，尚未确认。请",
                     Association(q.policy), "工作人员核实并写明理由。"}),
             Concat({"The host of a ", level->name_en(),
                     " station must be closely tied to the industry. An officer must confirm it "
                     "with a reason."}));
}

// Article 2: the society's rank fits the level.
void SocietyRankFits(const Filing& q, Verdict& v) {
  const policy::v1::Level* level = policy::FindLevel(q.policy, q.facts.level());
  if (level == nullptr)
    return v.NotApplicable("级别未定，暂不判断。", "Not judged without a level.");
  v.Fact("society.rank", SocietyRank_Name(q.facts.society().rank()));
  if (std::find(level->society_ranks().begin(), level->society_ranks().end(),
                q.facts.society().rank()) != level->society_ranks().end()) {
    return v.Satisfied("建站学会的级别与服务站级别相符。",
                       "The rank of the society fits the level of the station.");
  }
  v.Wrong(
      q.policy.filing().society_rank_mismatch_refuses(),
      Concat({"建站学会的级别与“", level->name_zh(), "”服务站不符，请核对学会级别和服务站级别。"}),
      Concat({"The society's rank does not fit a ", level->name_en(),
              " station. Please check both."}));
}

// Article 3: a declaration of the host with its evidence.
void Declaration(bool required, const v1::DeclarationFacts& declaration, std::string_view zh,
                 std::string_view en, Verdict& v) {
  v.Fact("declared", declaration.declared() ? "yes" : "no");
  v.Fact("evidence", std::to_string(declaration.evidence_size()));
  if (declaration.declared() && declaration.evidence_size() > 0) {
    return v.Satisfied(Concat({"建站单位已声明", zh, "并附证明。"}),
                       Concat({"The host declared ", en, ", with evidence."}));
  }
  v.Wrong(
      required,
      Concat({declaration.declared() ? "已声明" : "尚未声明", zh,
              declaration.declared() ? "但未附证明" : "", "。请建站单位作出声明并上传证明材料。"}),
      Concat({"The host must declare ", en, " and upload evidence of it."}));
}
void WorkingConditions(const Filing& q, Verdict& v) {
  Declaration(q.policy.filing().working_conditions_required(), q.facts.working_conditions(),
              "提供必要的工作条件", "working conditions", v);
}
void FundingGuarantee(const Filing& q, Verdict& v) {
  Declaration(q.policy.filing().funding_guarantee_required(), q.facts.funding_guarantee(),
              "提供经费保障", "a funding guarantee", v);
}
void ManagementRules(const Filing& q, Verdict& v) {
  Declaration(q.policy.filing().management_rules_required(), q.facts.management_rules(),
              "建立完善的服务管理制度", "management rules", v);
}
constexpr Rule<v1::FilingFacts> kFiling[] = {
    {{"filing.industry-chain", "1", "industry.chains", "CheckFiling"}, IndustryChain},
    {{"filing.demand-fit", "1", "filing.demand_fit_required", "CheckFiling"}, DemandFit},
    {{"filing.level", "2", "levels.level", "CheckFiling"}, Level},
    {{"filing.host-kind", "2", "levels.host_kinds host_kinds.mappings filing.exceptable_rules",
      "CheckFiling"},
     HostKind},
    {{"filing.contract-party", "2", "levels.contract_party filing.exceptable_rules", "CheckFiling"},
     ContractPartyFits},
    {{"filing.industry-tie", "2", "levels.industry_tie_required filing.exceptable_rules",
      "CheckFiling"},
     IndustryTie},
    {{"filing.society-rank", "2",
      "levels.society_ranks filing.society_rank_mismatch_refuses filing.exceptable_rules",
      "CheckFiling"},
     SocietyRankFits},
    {{"filing.working-conditions", "3", "filing.working_conditions_required", "CheckFiling"},
     WorkingConditions},
    {{"filing.funding-guarantee", "3", "filing.funding_guarantee_required", "CheckFiling"},
     FundingGuarantee},
    {{"filing.management-rules", "3", "filing.management_rules_required", "CheckFiling"},
     ManagementRules},
};

// 原则上: an exception by a named officer with a reason, where the policy lets the rule be
// excepted.
void Except(const Filing& q, Findings* findings) {
  const auto& exceptable = q.policy.filing().exceptable_rules();
  for (const common::v1::RuleException& exception : q.facts.exceptions()) {
    if (exception.reason().empty() || exception.officer().empty()) continue;
    if (std::find(exceptable.begin(), exceptable.end(), exception.rule_id()) == exceptable.end())
      continue;
    for (Finding& finding : *findings) {
      if (finding.rule_id() != exception.rule_id() ||
          finding.outcome() != Outcome::OUTCOME_VIOLATED)
        continue;
      finding.set_outcome(Outcome::OUTCOME_EXCEPTED);
      finding.set_text_zh(Concat({"本条原则上的要求未满足，已由", exception.officer(),
                                  "批准例外，理由：", exception.reason()}));
      finding.set_text_en(Concat({"Excepted by ", exception.officer(), ": ", exception.reason()}));
    }
  }
}
}  // namespace

Findings CheckFiling(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                     const v1::FilingFacts& facts, absl::CivilDay today) {
  Findings findings;
  findings.reserve(kMostFindings);
  const Filing question{policy, calendar, facts, today};
  Judge(kFiling, question, &findings);
  JudgeFilingForm(question, &findings);
  Except(question, &findings);
  return findings;
}

void AppendFilingRules(std::vector<RuleInfo>* out) { AppendInfo(kFiling, out); }

}  // namespace yuezhan::rules
