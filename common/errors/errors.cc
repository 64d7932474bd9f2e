#include "common/errors/errors.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/text.h"
#include "common/errors/details.h"
#include "yuezhan/common/v1/types.pb.h"

namespace yuezhan::errors {
namespace {

using common::v1::Finding;

// Violated findings as an error. All of them are told at once: nobody should learn the second
// condition by meeting the first.
Builder FromFindings(std::string_view reason, std::string_view zh, std::string_view en,
                     absl::Span<const Finding> findings, std::string_view subject) {
  std::vector<const Finding*> violated;
  for (const Finding& finding : findings) {
    if (finding.outcome() == common::v1::OUTCOME_VIOLATED) violated.push_back(&finding);
  }
  const auto texts = [&](const char* separator, auto text) {
    return absl::StrJoin(violated, separator, [text](std::string* out, const Finding* finding) {
      *out += (finding->*text)();
    });
  };
  Builder builder(reason, Concat({zh, texts("；", &Finding::text_zh)}),
                  Concat({en, texts("; ", &Finding::text_en)}));

  std::vector<std::string> articles;
  std::string changes_on;  // the day from which time alone has cured every violation
  bool time_cures = !violated.empty();
  for (const Finding* finding : violated) {
    builder.Precondition(finding->rule_id(), subject, finding->text_zh());
    if (std::find(articles.begin(), articles.end(), finding->article()) == articles.end()) {
      articles.push_back(finding->article());
    }
    const auto& day = finding->changes_on();
    time_cures = time_cures && finding->has_changes_on();
    changes_on =
        std::max(changes_on, absl::StrFormat("%04d-%02d-%02d", day.year(), day.month(), day.day()));
  }
  builder.Meta("article", absl::StrJoin(articles, ","));
  if (time_cures) builder.Meta("changes_on", changes_on);
  return builder;
}

}  // namespace

absl::Status InvalidFields(const std::vector<FieldViolation>& violations) {
  const auto join = [&](const char* separator, std::string FieldViolation::*text) {
    return absl::StrJoin(violations, separator, [text](std::string* out, const auto& violation) {
      *out += Concat({violation.path, ": ", violation.*text});
    });
  };
  Builder builder("INVALID_FIELD", Concat({"请求内容有误：", join("；", &FieldViolation::zh)}),
                  Concat({"Invalid request: ", join("; ", &FieldViolation::en)}));
  for (const auto& violation : violations) builder.Field(violation.path, violation.zh);
  return builder.Build();
}

absl::Status InvalidField(std::string_view path, std::string_view zh, std::string_view en) {
  return InvalidFields({{std::string(path), std::string(zh), std::string(en)}});
}

absl::Status Malformed(std::string_view message_type) {
  return Builder("MALFORMED", Concat({"请求无法解析为 ", message_type, "。"}),
                 Concat({"The request is not a valid ", message_type, "."}))
      .Build();
}

absl::Status PageTokenInvalid() {
  return Builder("PAGE_TOKEN_INVALID", "翻页标记无效，请从第一页重新查询。",
                 "The page token is not of this list; list again from the first page.")
      .Field("page_token", "翻页标记无效")
      .Build();
}

absl::Status RequestIdReused(std::string_view field) {
  return Builder(
             "REQUEST_ID_REUSED", Concat({"该 request_id 已用于内容不同的请求（", field, "）。"}),
             Concat({"This request_id was used for another request; they differ in ", field, "."}))
      .Field(field, "与首次使用该 request_id 的请求不同")
      .Build();
}

absl::Status TooLarge(std::string_view what, int64_t limit, std::string_view unit) {
  return Builder("TOO_LARGE",
                 Concat({what, " 超过上限（", std::to_string(limit), " ", unit, "）。"}),
                 Concat({what, " is over the limit of ", std::to_string(limit), " ",
                         unit, "."}))
      .Meta("what", what)
      .Meta("limit", std::to_string(limit))
      .Meta("unit", unit)
      .Build();
}

absl::Status NotFound(std::string_view resource_name) {
  return Builder("NOT_FOUND", Concat({"未找到 ", resource_name, "。"}),
                 Concat({resource_name, " is not found."}))
      .Resource(resource_name)
      .Build();
}

absl::Status AlreadyExists(std::string_view field, std::string_view existing) {
  return Builder("ALREADY_EXISTS", Concat({field, " 已被占用：", existing, "。"}),
                 Concat({field, " is taken already: ", existing, "."}))
      .Meta("field", field)
      .Resource(existing)
      .Build();
}

absl::Status MethodUnknown(std::string_view method) {
  return Builder("METHOD_UNKNOWN", "本服务没有该方法。", "This server has no such method.")
      .Meta("method", method)
      .Build();
}

absl::Status StateForbids(std::string_view resource_name, std::string_view state,
                          absl::Span<const std::string_view> states, std::string_view method) {
  const std::string allowed =
      absl::StrJoin(states, ", ", [](std::string* out, std::string_view each) { *out += each; });
  std::string zh = Concat({resource_name, " 当前状态为 ", state, "，本操作要求 ", allowed});
  std::string en = Concat({resource_name, " is ", state, "; this needs ", allowed});
  if (!method.empty()) {
    zh += Concat({"（可先调用 ", method, "）"});
    en += Concat({" (", method, " leads there)"});
  }
  return Builder("STATE_FORBIDS", Concat({zh, "。"}), Concat({en, "."}))
      .Precondition("STATE", resource_name, zh)
      .Meta("state", state)
      .Meta("allowed_states", allowed)
      .Meta("method", method)
      .Build();
}

absl::Status Refused(absl::Span<const Finding> findings, std::string_view subject) {
  return FromFindings("REFUSED", "不符合规定：", "Refused: ", findings, subject).Build();
}

absl::Status SeparationOfDuties(absl::Span<const Finding> findings, std::string_view subject) {
  return FromFindings("SEPARATION_OF_DUTIES", "不相容职责须由他人办理：",
                      "Another person must act: ", findings, subject)
      .Build();
}

absl::Status EtagMismatch(std::string_view resource_name) {
  return Builder("ETAG_MISMATCH", Concat({resource_name, " 已被他人修改，请重新读取后再办。"}),
                 Concat({resource_name, " changed since it was read; read it again."}))
      .Resource(resource_name)
      .Build();
}

absl::Status Conflict() {
  return Builder("CONFLICT", "与其他操作冲突，未作任何改动，请重试。",
                 "The work lost a race; nothing happened, send it again.")
      .RetryAfter(absl::Milliseconds(200))
      .Build();
}

std::string_view AuthFaultName(AuthFault fault) {
  constexpr std::string_view kNames[] = {
      "MISSING",       "MALFORMED", "ALGORITHM", "UNKNOWN_KEY", "SIGNATURE",   "EXPIRED",
      "NOT_YET_VALID", "ISSUER",    "AUDIENCE",  "CLAIMS",      "CERTIFICATE",
  };
  return kNames[static_cast<int>(fault)];
}

absl::Status Unauthenticated(AuthFault fault) {
  return Builder("UNAUTHENTICATED",
                 Concat({"身份凭证未被接受（", AuthFaultName(fault), "），请重新获取。"}),
                 Concat({"The credentials are not accepted (", AuthFaultName(fault),
                         "); get new ones."}))
      .Meta("cause", AuthFaultName(fault))
      .Build();
}

absl::Status PermissionDenied(std::string_view method) {
  return Builder("PERMISSION_DENIED", "您的角色无权办理此项。",
                 "Your roles do not include this method.")
      .Meta("method", method)
      .Build();
}

absl::Status Overloaded(absl::Duration retry_after) {
  return Builder("OVERLOADED", "系统繁忙，未作任何改动，请稍后重试。",
                 "Too many calls at once; nothing happened, send it again later.")
      .RetryAfter(retry_after)
      .Build();
}

absl::Status RateLimited(absl::Duration retry_after) {
  return Builder("RATE_LIMITED", "调用过于频繁，请稍后重试。",
                 "You call too often; nothing happened, send it again later.")
      .RetryAfter(retry_after)
      .Build();
}

absl::Status Unavailable(std::string_view what, absl::Duration retry_after) {
  return Builder("UNAVAILABLE", Concat({what, " 暂时不可用，请用同一 request_id 重试。"}),
                 Concat({what, " cannot be reached; send it again with the same request_id."}))
      .Meta("what", what)
      .RetryAfter(retry_after)
      .Build();
}

absl::Status DeadlineExceeded() {
  return Builder("DEADLINE_EXCEEDED", "超过时限，结果未知，请用同一 request_id 重试。",
                 "The time was up before the answer was known; send it again with the same "
                 "request_id.")
      .Build();
}

absl::Status DataLoss(std::string_view what) {
  return Builder("DATA_LOSS", Concat({"存储的数据未通过校验：", what, "，请联系运维人员。"}),
                 Concat({"Stored data fails its check: ", what, "; tell the operator."}))
      .Meta("what", what)
      .Build();
}

absl::Status Internal(std::string_view incident) {
  return Builder("INTERNAL", Concat({"系统内部错误，事件编号 ", incident, "。"}),
                 Concat({"A fault of the server, incident ", incident, "."}))
      .Meta("incident", incident)
      .Build();
}

}  // namespace yuezhan::errors
