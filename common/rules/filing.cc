#include "common/rules/filing.h"

#include <algorithm>

#include "common/rules/contact_details.h"
#include "common/rules/internal.h"
#include "common/rules/standing.h"

namespace yuezhan::rules {
namespace {

using common::v1::ContractParty;
using common::v1::SocietyRank;
using Filing = Question<v1::FilingFacts>;
using Activity = Question<v1::ActivityFacts>;

// What a filing form must say, with the field's path and its name on the form.
struct FormField {
  const char* path;
  const char* zh;
  bool (*given)(const v1::FilingFacts&);
};
constexpr FormField kFormFields[] = {
    {"station_name", "学会服务站名称",
     [](const v1::FilingFacts& f) { return !f.station_name().empty(); }},
    {"principal.name", "负责人",
     [](const v1::FilingFacts& f) { return !f.principal().name().empty(); }},
    {"principal.position", "负责人职务",
     [](const v1::FilingFacts& f) { return !f.principal().position().empty(); }},
    {"principal.mobile", "负责人手机",
     [](const v1::FilingFacts& f) { return !f.principal().mobile().empty(); }},
    {"office_address", "办公地址",
     [](const v1::FilingFacts& f) { return !f.office_address().empty(); }},
    {"postcode", "邮编", [](const v1::FilingFacts& f) { return !f.postcode().empty(); }},
    {"contact.name", "联系人",
     [](const v1::FilingFacts& f) { return !f.contact().name().empty(); }},
    {"contact.position", "联系人职务",
     [](const v1::FilingFacts& f) { return !f.contact().position().empty(); }},
    {"contact.mobile", "联系人手机",
     [](const v1::FilingFacts& f) { return !f.contact().mobile().empty(); }},
    {"established_on", "建站时间", [](const v1::FilingFacts& f) { return f.has_established_on(); }},
    {"email", "电子邮件", [](const v1::FilingFacts& f) { return !f.email().empty(); }},
    {"industry_chains", "服务产业链业务领域",
     [](const v1::FilingFacts& f) { return f.industry_chains_size() > 0; }},
    {"society.name", "建站学会",
     [](const v1::FilingFacts& f) { return !f.society().name().empty(); }},
    {"purpose", "建站目的", [](const v1::FilingFacts& f) { return !f.purpose().empty(); }},
    {"main_work", "建站主要工作内容",
     [](const v1::FilingFacts& f) { return !f.main_work().empty(); }},
    {"host.host_unit", "建站单位",
     [](const v1::FilingFacts& f) { return !f.host().host_unit().empty(); }},
};

// Annex 2: every field is filled.
void FormComplete(const Filing& q, Verdict& v) {
  std::vector<std::string_view> missing_zh, missing_en;
  for (const FormField& field : kFormFields) {
    if (field.given(q.facts)) continue;
    v.Fact(field.path, "-");
    missing_zh.push_back(field.zh);
    missing_en.push_back(field.path);
  }
  if (missing_zh.empty())
    return v.Satisfied("备案登记表各栏均已填写。", "Every field of the filing form is filled.");
  v.Violated(Concat({"备案登记表还缺少：", ListZh(missing_zh), "。请补填后重新提交。"}),
             Concat({"The filing form lacks: ", ListEn(missing_en),
                     ". Please fill them in and submit again."}));
}

// Annex 2: telephone numbers, postcode and e-mail can be what they say. An empty one is the form's
// matter.
void ContactDetails(const Filing& q, Verdict& v) {
  const struct {
    const char* path;
    const char* zh;
    const std::string& value;
    bool ok;
    bool personal;
  } details[] = {
      {"principal.mobile", "负责人手机", q.facts.principal().mobile(),
       IsPhone(q.facts.principal().mobile()), true},
      {"contact.mobile", "联系人手机", q.facts.contact().mobile(),
       IsPhone(q.facts.contact().mobile()), true},
      {"postcode", "邮编", q.facts.postcode(), IsPostcode(q.facts.postcode()), false},
      {"email", "电子邮件", q.facts.email(), IsEmail(q.facts.email()), false},
  };
  std::vector<std::string_view> wrong_zh, wrong_en;
  for (const auto& detail : details) {
    if (detail.ok || detail.value.empty()) continue;
    v.Fact(detail.path, detail.personal ? Masked(detail.value) : detail.value);
    wrong_zh.push_back(detail.zh);
    wrong_en.push_back(detail.path);
  }
  if (wrong_zh.empty())
    return v.Satisfied("联系方式格式正确。", "The contact details are well formed.");
  v.Violated(
      Concat({ListZh(wrong_zh),
              "的格式不正确。手机号码为11位，固定电话带区号，邮编为6位数字，请核对后重新填写。"}),
      Concat({"Not well formed: ", ListEn(wrong_en),
              ". A mobile number has 11 digits, a landline its area code, a postcode 6 digits. "
              "Please check."}));
}

// The code of the host unit, or of its supporting legal entity, passes both check characters.
void CreditCode(const Filing& q, Verdict& v) {
  const v1::HostFacts& host = q.facts.host();
  v.Fact("host.credit_code", host.credit_code());
  if (IsCreditCode(host.credit_code())) {
    return v.Satisfied("统一社会信用代码的两个校验位均正确。",
                       "Both check characters of the credit code are right.");
  }
  if (IsCreditCodeShape(host.credit_code()) && Confirmed(host.credit_code_accepted())) {
    return v.Remark(
        Concat({"统一社会信用代码校验位不符，已由", host.credit_code_accepted().officer(),
                "核实并接受：", host.credit_code_accepted().reason()}),
        Concat({"The check characters of the credit code fail; accepted by ",
                host.credit_code_accepted().officer(), ": ",
                host.credit_code_accepted().reason()}));
  }
  v.Violated(
      Concat({"统一社会信用代码应为18位，且两个校验位正确。请对照登记证书核对；证书确为此号的，由",
              Association(q.policy), "工作人员说明理由后接受。"}),
      "A credit code has 18 characters and two right check characters. Please compare it with the "
      "certificate; "
      "if the certificate does say so, an officer can accept it with a reason.");
}

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
      Concat({level->name_zh(), "学会服务站原则上建在", ListZh(fitting_zh), "，现建站单位为",
              zh.empty() ? std::string_view("未填写类型的单位") : zh,
              "。请调整建站单位；确需例外的，由", Association(q.policy),
              "工作人员写明理由后批准。"}),
      Concat({"A ", level->name_en(), " station is as a rule hosted by: ", ListEn(fitting_en),
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

// Time runs from the establishment: it is past, and form and reply agree on it, or the policy says
// which decides.
void EstablishmentDate(const Filing& q, Verdict& v) {
  const std::optional<Day> form = DayFromProto(q.facts.established_on());
  const std::optional<Day> reply = DayFromProto(q.facts.approval_reply().date());
  v.Fact("established_on", form).Fact("approval_reply.date", reply);
  if (!form)
    return v.Violated("请填写建站时间（年、月、日）。", "Please give the day of establishment.");
  const Day last = reply ? std::max(*form, *reply) : *form;
  if (last > q.today) {
    v.ChangesOn(last);
    return v.Violated(
        Concat({"建站时间或建站批复日期（", FormatDayZh(last),
                "）尚未到来，请核对日期，或于当日起备案。"}),
        Concat({"The day of establishment or of the approval reply (", FormatDay(last),
                ") is in the future. Please check it, or file from that day on."}));
  }
  if (!reply || *form == *reply)
    return v.Satisfied("建站时间明确。", "The day of establishment is clear.");
  const bool by_reply =
      q.policy.filing().establishment_decided_by() == policy::v1::DECIDING_DOCUMENT_APPROVAL_REPLY;
  v.Remark(
      Concat({"备案登记表所填建站时间", FormatDayZh(*form), "与建站批复日期", FormatDayZh(*reply),
              "不一致，以", by_reply ? "建站批复" : "备案登记表", "为准。"}),
      Concat({"The form says ", FormatDay(*form), ", the approval reply ", FormatDay(*reply),
              "; the ", by_reply ? "approval reply" : "form", " decides."}));
}

// Article 5.1: the approval reply, with issuer, title, number and date.
void ApprovalReply(const Filing& q, Verdict& v) {
  const v1::ApprovalReplyFacts& reply = q.facts.approval_reply();
  if (!reply.issuer().empty() && !reply.title().empty() && !reply.number().empty() &&
      DayFromProto(reply.date())) {
    v.Fact("approval_reply.number", reply.number());
    return v.Satisfied(Concat({"建站批复：", reply.issuer(), reply.number(), "。"}),
                       Concat({"Approval reply: ", reply.issuer(), " ", reply.number(), "."}));
  }
  v.Wrong(q.policy.filing().approval_reply_required(),
          "尚缺建站批复（批复机关、标题、发文字号、日期）。请补充；申报资助时必须提供。",
          "The approval reply (issuer, title, number, date) is not complete. Please add it; an "
          "application needs it.");
}

// A station may file late; a late filing is marked and loses nothing.
void Late(const Filing& q, Verdict& v) {
  const std::optional<Day> established = DayFromProto(q.facts.established_on());
  const int after = q.policy.filing().late_after_days();
  if (!established || after == 0)
    return v.NotApplicable("不判断是否逾期备案。", "Lateness is not judged.");
  v.Fact("established_on", *established).Fact("late_after_days", std::to_string(after));
  if (q.today <= *established + after) return v.Satisfied("备案及时。", "Filed in time.");
  v.Remark("本站为补办备案；运转时间仍自建站之日起计算，不受影响。",
           "Filed late; the time of operation still runs from the establishment.");
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
    {{"filing.approval-reply", "5.1", "filing.approval_reply_required", "CheckFiling"},
     ApprovalReply},
    {{"filing.form-complete", "annex-2", "", "CheckFiling"}, FormComplete},
    {{"filing.contact-details", "annex-2", "", "CheckFiling"}, ContactDetails},
    {{"filing.credit-code", "interpretation", "", "CheckFiling"}, CreditCode},
    {{"filing.establishment-date", "interpretation", "filing.establishment_decided_by",
      "CheckFiling"},
     EstablishmentDate},
    {{"filing.late", "interpretation", "filing.late_after_days", "CheckFiling"}, Late},
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

// Article 4: one of the four kinds of work.
void ActivityKind(const Activity& q, Verdict& v) {
  v.Fact("kind", common::v1::WorkKind_Name(q.facts.kind()));
  for (const policy::v1::WorkKindName& kind : q.policy.work().kinds()) {
    if (kind.kind() != q.facts.kind()) continue;
    return v.Satisfied(Concat({"活动类别：", kind.name_zh(), "。"}),
                       Concat({"Kind of work: ", kind.name_en(), "."}));
  }
  v.Violated("请在办法规定的工作类别中选择一类。",
             "Please choose one of the kinds of work of the regulation.");
}

// Article 4: the activity took place while the station operated.
void ActivityDate(const Activity& q, Verdict& v) {
  const std::optional<Day> date = DayFromProto(q.facts.date());
  const std::optional<Day> established = EstablishedOn(q.policy, q.facts.station());
  v.Fact("date", date).Fact("established_on", established);
  if (!date) return v.Violated("请填写活动日期。", "Please give the day of the activity.");
  if (*date > q.today) {
    v.ChangesOn(*date);
    return v.Violated("活动日期尚未到来，请在活动结束后登记。",
                      "The activity is in the future. Please record it afterwards.");
  }
  if (established && *date < *established) {
    return v.Violated("活动日期早于建站时间，请核对。",
                      "The activity is before the establishment. Please check the day.");
  }
  switch (OperationOn(q.facts.station(), *date)) {
    case Operation::kClosed:
      return v.Violated("该日服务站已撤销，不能登记活动。", "The station was closed on that day.");
    case Operation::kSuspended:
      return v.Remark("该日服务站处于停运期间，请核对日期。",
                      "The station was suspended on that day. Please check.");
    case Operation::kOperating:
      return v.Satisfied("活动日期在运转期间内。", "The station was operating on that day.");
  }
}

constexpr Rule<v1::ActivityFacts> kActivity[] = {
    {{"activity.kind", "4", "work.kinds", "CheckActivity"}, ActivityKind},
    {{"activity.date", "4", "filing.establishment_decided_by", "CheckActivity"}, ActivityDate},
};

}  // namespace

Findings CheckFiling(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                     const v1::FilingFacts& facts, absl::CivilDay today) {
  Findings findings;
  findings.reserve(kMostFindings);
  const Filing question{policy, calendar, facts, today};
  Judge(kFiling, question, &findings);
  Except(question, &findings);
  return findings;
}

Findings CheckActivity(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                       const v1::ActivityFacts& facts, absl::CivilDay today) {
  Findings findings;
  Judge(kActivity, Activity{policy, calendar, facts, today}, &findings);
  return findings;
}

void AppendFilingRules(std::vector<RuleInfo>* out) {
  AppendInfo(kFiling, out);
  AppendInfo(kActivity, out);
}

}  // namespace yuezhan::rules
