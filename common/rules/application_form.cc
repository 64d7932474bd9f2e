// The application form (Annex 1) and its materials (article 5.1).
#include <algorithm>

#include "common/rules/amount_words.h"
#include "common/rules/contact_details.h"
#include "common/rules/internal.h"

namespace yuezhan::rules {
namespace {

using Application = Question<v1::ApplicationFacts>;

// Annex 1: every field is filled, and the name is the registered one.
void FormComplete(const Application& q, Verdict& v) {
  const v1::ApplicationFormFacts& form = q.facts.form();
  const bool separate_sheet = std::any_of(
      q.facts.materials().begin(), q.facts.materials().end(),
      [](const v1::MaterialFacts& material) { return material.code() == "main-content"; });
  const struct {
    const char* path;
    const char* zh;
    bool given;
  } fields[] = {
      {"station_name", "学会服务站名称", !form.station_name().empty()},
      {"category", "资助类别", form.category() != common::v1::STATION_LEVEL_UNSPECIFIED},
      {"subsidy_year", "年度", form.subsidy_year() > 0},
      {"requested_amount", "申请资助经费", form.requested_amount_fen() > 0},
      {"requested_amount_words", "大写金额", !form.requested_amount_words().empty()},
      {"host_unit", "建站单位名称", !form.host_unit().empty()},
      {"account.holder", "账户户名", !form.account().holder().empty()},
      {"account.bank", "开户银行", !form.account().bank().empty()},
      {"account.number", "账号", !form.account().number().empty()},
      {"main_content", "建站主要内容", !form.main_content().empty() || separate_sheet},
  };
  std::vector<std::string_view> missing_zh, missing_en;
  for (const auto& field : fields) {
    if (field.given) continue;
    v.Fact(field.path, "-");
    missing_zh.push_back(field.zh);
    missing_en.push_back(field.path);
  }
  if (!missing_zh.empty()) {
    return v.Violated(
        Concat({"申请表还缺少：", ListZh(missing_zh), "。请补填后提交。"}),
        Concat({"The application form lacks: ", ListEn(missing_en), ". Please fill them in."}));
  }
  if (!SameName(form.station_name(), Station(q).display_name())) {
    v.Fact("station_name", form.station_name()).Fact("registered_name", Station(q).display_name());
    return v.Violated(
        Concat(
            {"申请表上的站名与备案名称“", Station(q).display_name(), "”不一致，请改为备案名称。"}),
        Concat({"The station's name is not the registered one: ", Station(q).display_name(), "."}));
  }
  v.Satisfied("申请表各栏均已填写，站名与备案一致。",
              "Every field of the application form is filled.");
}

// Article 5: the category asked for is the station's level.
void Category(const Application& q, Verdict& v) {
  const policy::v1::Level* level = policy::FindLevel(q.policy, Station(q).level());
  if (level == nullptr || level->subsidy_fen() == 0) {
    // To be told another category would be to be told to apply.
    return v.NotApplicable("此级别没有资助类别。", "There is no category for this level.");
  }
  const common::v1::StationLevel asked = q.facts.form().category();
  v.Fact("category", std::string(LevelEn(q.policy, asked)))
      .Fact("level", std::string(LevelEn(q.policy, Station(q).level())));
  if (asked == Station(q).level())
    return v.Satisfied("资助类别与备案级别一致。", "The category is the station's level.");
  v.Violated(
      Concat({"资助类别应与备案级别一致，请改选“", LevelZh(q.policy, Station(q).level()), "”。"}),
      Concat({"The category must be the station's level: ", LevelEn(q.policy, Station(q).level()),
              "."}));
}

// Article 5: the amount asked for is the policy's.
void Amount(const Application& q, Verdict& v) {
  const policy::v1::Level* level = policy::FindLevel(q.policy, Station(q).level());
  if (level == nullptr || level->subsidy_fen() == 0) {
    return v.NotApplicable("此级别没有资助标准。", "No amount is fixed for this level.");
  }
  v.Fact("requested_amount", FormatYuan(q.facts.form().requested_amount_fen()))
      .Fact("subsidy", FormatYuan(level->subsidy_fen()));
  if (q.facts.form().requested_amount_fen() == level->subsidy_fen()) {
    return v.Satisfied("申请金额与资助标准一致。", "The amount asked for is the policy's.");
  }
  v.Violated(Concat({level->name_zh(), "学会服务站的资助金额为", YuanZh(level->subsidy_fen()),
                     "，请按此填写申请金额。"}),
             Concat({"A ", level->name_en(), " station gets ", YuanEn(level->subsidy_fen()),
                     ". Please ask for that amount."}));
}

// Annex 1: words and figures say the same.
void AmountInWords(const Application& q, Verdict& v) {
  const v1::ApplicationFormFacts& form = q.facts.form();
  v.Fact("requested_amount", FormatYuan(form.requested_amount_fen()))
      .Fact("words", form.requested_amount_words());
  const std::optional<int64_t> fen = FenOfWords(form.requested_amount_words());
  if (fen && *fen == form.requested_amount_fen()) {
    return v.Satisfied("大写金额与小写金额一致。", "The words and the figures agree.");
  }
  const std::string before_yuan = AmountWordsBeforeYuan(form.requested_amount_fen());
  const std::string whole = AmountWords(form.requested_amount_fen());
  const std::string should_zh =
      before_yuan.empty()
          ? Concat({"“", whole, "”"})
          : Concat({"“", before_yuan, "”（表中已印“元”字），完整写法为“", whole, "”"});
  v.Violated(Concat({fen ? "大写金额与小写金额不一致" : "大写金额书写不正确", "，应写作", should_zh,
                     "。"}),
             Concat({fen ? "Words and figures differ" : "The words are not spelled right",
                     "; they should read ", whole, "."}));
}

// Article 5.4: to the host unit's account, or its supporting legal entity's by a decision with
// evidence.
void Account(const Application& q, Verdict& v) {
  const v1::AccountFacts& account = q.facts.form().account();
  const v1::AccountFacts& registered = Host(q).account();
  v.Fact("account.holder", account.holder()).Fact("account.number", Masked(account.number()));
  if (!IsAccountNumber(account.number()) || account.holder().empty() || account.bank().empty()) {
    return v.Violated(
        "账户信息不完整或账号格式不正确。请核对户名、开户银行和账号（8至32位数字）。",
        "The account is not complete or its number not well formed (8 to 32 digits).");
  }
  if (!SameName(account.number(), registered.number()) ||
      !SameName(account.holder(), registered.holder()) ||
      !SameName(account.bank(), registered.bank())) {
    return v.Violated(
        "申请表上的账户与建站单位登记的账户不一致。请核对后改正，账户有变更的先办理登记变更。",
        "The account differs from the one registered for the host. Please correct it, or have the "
        "change "
        "registered first.");
  }
  if (SameName(account.holder(), Host(q).display_name())) {
    return v.Satisfied("收款账户为建站单位账户。", "The payee is the host unit.");
  }
  if (q.policy.application().other_payee_by_decision() && Confirmed(registered.other_holder()) &&
      registered.other_holder_evidence_size() > 0) {
    return v.Remark(
        Concat({"收款户名为“", account.holder(), "”，已由", registered.other_holder().officer(),
                "批准：", registered.other_holder().reason()}),
        Concat({"The payee is ", account.holder(), ", allowed by ",
                registered.other_holder().officer(), ": ", registered.other_holder().reason()}));
  }
  v.Violated(Concat({"收款户名“", account.holder(), "”不是建站单位。",
                     q.policy.application().other_payee_by_decision()
                         ? "请使用建站单位账户；单位不是独立法人的，请提交挂靠法人单位证明，经工作"
                           "人员批准后再申报。"
                         : "请使用建站单位账户。"}),
             "The payee is not the host unit. Please use the host's own account, or have its "
             "supporting legal entity's "
             "allowed by a decision with evidence.");
}

// Article 5.1: application form, filing form, approval reply, and what else the policy requires.
void MaterialsPresent(const Application& q, Verdict& v) {
  std::string missing_zh;
  std::vector<std::string_view> missing_en;
  for (const policy::v1::Material& material : q.policy.application().materials()) {
    if (!material.required()) continue;
    const auto& given = q.facts.materials();
    if (std::any_of(given.begin(), given.end(),
                    [&](const auto& m) { return m.code() == material.code(); })) {
      continue;
    }
    v.Fact("missing", material.code());
    missing_zh += Concat({"《", material.name_zh(), "》"});
    missing_en.push_back(material.name_en());
  }
  if (missing_en.empty()) return v.Satisfied("申报材料齐全。", "All required materials are there.");
  v.Violated(Concat({"申报材料还缺少", missing_zh, "。请上传后提交。"}),
             Concat({"Materials are missing: ", ListEn(missing_en), ". Please upload them."}));
}

// What is wrong with one file; empty: nothing.
std::pair<std::string, std::string> WrongFile(const policy::v1::Policy& policy,
                                              const v1::MaterialFacts& file, int count) {
  const policy::v1::Material* material = policy::FindMaterial(policy, file.code());
  if (material == nullptr) return {"不是办法所列的材料", "is no material of the policy"};
  const auto& types = material->media_types();
  if (std::find(types.begin(), types.end(), file.media_type()) == types.end()) {
    return {"文件格式不在允许范围（PDF、OFD、JPEG、PNG）内", "has a format that is not allowed"};
  }
  if (file.size_bytes() <= 0) return {"是空文件", "is empty"};
  if (file.size_bytes() > material->max_bytes()) {
    const std::string limit = std::to_string(material->max_bytes() / (1024 * 1024));
    return {Concat({"超过", limit, "MB"}), Concat({"is larger than ", limit, " MiB"})};
  }
  if (count > material->max_files()) {
    return {Concat({"超过", std::to_string(material->max_files()), "份"}), "is one file too many"};
  }
  return {};
}

// Article 5.1: each file is of a kind, format and size that the policy takes.
void MaterialFiles(const Application& q, Verdict& v) {
  const auto& files = q.facts.materials();
  v.Fact("files", std::to_string(files.size()));
  if (files.size() > q.policy.application().max_materials()) {
    const std::string most = std::to_string(q.policy.application().max_materials());
    return v.Violated(Concat({"材料超过", most, "份，请合并后上传。"}),
                      Concat({"More than ", most, " files. Please merge some."}));
  }
  for (int i = 0; i < files.size(); ++i) {
    const int count = 1 + std::count_if(files.begin(), files.begin() + i, [&](const auto& before) {
                        return before.code() == files[i].code();
                      });
    const auto [zh, en] = WrongFile(q.policy, files[i], count);
    if (zh.empty()) continue;
    v.Fact("file", files[i].file_name());
    return v.Violated(Concat({"材料“", files[i].file_name(), "”", zh, "，请更换后重新上传。"}),
                      Concat({"\"", files[i].file_name(), "\" ", en, ". Please replace it."}));
  }
  v.Satisfied("材料的格式和大小符合要求。", "The files' formats and sizes are right.");
}

// Article 5.1: a sealed scan says what the data says; an officer looks at it after submission.
void ScansAgree(const Application& q, Verdict& v) {
  bool open = false;
  for (const v1::MaterialFacts& file : q.facts.materials()) {
    const policy::v1::Material* material = policy::FindMaterial(q.policy, file.code());
    if (material == nullptr || !material->sealed_scan()) continue;
    open = open || !file.has_scan_agrees();
    if (!file.has_scan_agrees() || file.scan_agrees().confirmed()) continue;
    v.Fact("material", file.code());
    return v.Violated(Concat({"盖章扫描件《", material->name_zh(), "》与填报数据不一致：",
                              file.scan_agrees().reason(), "。请改正后重新打印、盖章、上传。"}),
                      Concat({"The sealed scan of \"", material->name_en(),
                              "\" differs from the data: ", file.scan_agrees().reason(),
                              ". Please print, seal and upload it again."}));
  }
  if (open)
    return v.Remark("盖章扫描件待工作人员核对。",
                    "The sealed scans are still to be compared by an officer.");
  v.Satisfied("盖章扫描件与填报数据一致。", "The sealed scans agree with the data.");
}

constexpr Rule<v1::ApplicationFacts> kForm[] = {
    {{"application.form-complete", "annex-1", "", "CheckApplication"}, FormComplete},
    {{"application.category", "5", "levels.level", "CheckApplication"}, Category},
    {{"application.amount", "5", "levels.subsidy_fen", "CheckApplication"}, Amount},
    {{"application.amount-in-words", "annex-1", "", "CheckApplication"}, AmountInWords},
    {{"application.account", "5.4", "application.other_payee_by_decision", "CheckApplication"},
     Account},
    {{"application.materials-present", "5.1", "application.materials", "CheckApplication"},
     MaterialsPresent},
    {{"application.material-files", "5.1", "application.materials application.max_materials",
      "CheckApplication"},
     MaterialFiles},
    {{"application.scans-agree", "5.1", "application.materials", "CheckApplication"}, ScansAgree},
};

}  // namespace

void JudgeApplicationForm(const Question<v1::ApplicationFacts>& question, Findings* findings) {
  Judge(kForm, question, findings);
}

void AppendApplicationFormRules(std::vector<RuleInfo>* out) { AppendInfo(kForm, out); }

}  // namespace yuezhan::rules
