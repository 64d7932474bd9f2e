// The filing form (Annex 2): its fields, its dates, the approval reply.
#include <algorithm>

#include "common/rules/contact_details.h"
#include "common/rules/internal.h"

namespace yuezhan::rules {
namespace {

using Filing = Question<v1::FilingFacts>;

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
constexpr Rule<v1::FilingFacts> kFilingForm[] = {
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

}  // namespace

void JudgeFilingForm(const Question<v1::FilingFacts>& question, Findings* findings) {
  Judge(kFilingForm, question, findings);
}

void AppendFilingFormRules(std::vector<RuleInfo>* out) { AppendInfo(kFilingForm, out); }

}  // namespace yuezhan::rules
