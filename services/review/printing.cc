#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/db/transaction.h"
#include "common/documents/documents.h"
#include "common/errors/errors.h"
#include "common/journal/feed.h"
#include "services/review/handlers.h"
#include "services/review/printing.h"
#include "yuezhan/journal/v1/journal.pb.h"

// Printed documents: what is on them is put together in printed_cases.cc and printed_notices.cc.
namespace yuezhan::review {
namespace {

// Rows of a case's journal that names are looked for in.
constexpr int kMostRows = 1000;
constexpr RoleSet kObjectionOfficers{Role::kReviewer, Role::kSecretary};

absl::Status NotFor(std::string_view what) {
  return errors::InvalidField("kind", Concat({"不是", what, "的文书"}),
                              "is no document of that resource");
}

// The resource that a kind of document is about.
std::string_view PatternOf(v1::DocumentKind kind) {
  switch (kind) {
    case v1::DOCUMENT_KIND_REVIEW_FORM:
    case v1::DOCUMENT_KIND_INSPECTION_RECORD:
      return "cases/*";
    case v1::DOCUMENT_KIND_DECISION_REQUEST:
    case v1::DOCUMENT_KIND_MINUTES_EXTRACT:
      return "meetings/*";
    case v1::DOCUMENT_KIND_PUBLIC_NOTICE:
    case v1::DOCUMENT_KIND_NOTICE_RESULT:
      return "notices/*";
    default:
      return "notices/*/objections/*";
  }
}

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> Handlers::NamesIn(
    db::Session& sql, std::string_view case_name) const {
  std::map<std::string, std::string> names;
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", case_name));
  for (const TrailRow& row : store_.Trail(sql, id, 0, kMostRows, false)) {
    YZ_ASSIGN_OR_RETURN(const std::string plain,
                        vault_.Open(journal::PrivatePartPlace(row.request_key),
                                    {row.private_part, row.wrapped_key}));
    journal::v1::PrivatePart part;
    if (!part.ParseFromString(plain)) return errors::DataLoss(case_name);
    if (!part.name().empty()) names[part.subject()] = part.name();
  }
  return names;
}

absl::Status Handlers::PrintDocument(Context& context, const v1::PrintDocumentRequest& request,
                                     common::v1::PrintedDocument* answer) {
  const auto ids = IdsOf(PatternOf(request.kind()), request.name());
  if (!ids.ok()) return NotFor(request.name());
  const std::string& id = ids->back();
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    Printed printed{nullptr, {}, {}, {}, {}, {}, {}};
    const auto add_case = [&](const std::string& name) -> absl::Status {
      YZ_ASSIGN_OR_RETURN(const std::string case_id, IdOf("cases/*", name));
      YZ_ASSIGN_OR_RETURN(const auto review_case, store_.Case(sql, case_id, false));
      if (!review_case) return errors::NotFound(name);
      printed.cases[name] = *review_case;
      for (const v1::Expert& expert : review_case->inspection().experts())
        printed.names.emplace(expert.subject(), expert.display_name());
      YZ_ASSIGN_OR_RETURN(const auto names, NamesIn(sql, name));
      printed.names.insert(names.begin(), names.end());
      return absl::OkStatus();
    };
    switch (request.kind()) {
      case v1::DOCUMENT_KIND_REVIEW_FORM:
      case v1::DOCUMENT_KIND_INSPECTION_RECORD:
        YZ_RETURN_IF_ERROR(add_case(request.name()));
        break;
      case v1::DOCUMENT_KIND_DECISION_REQUEST:
      case v1::DOCUMENT_KIND_MINUTES_EXTRACT: {
        YZ_ASSIGN_OR_RETURN(const auto meeting, store_.Meeting(sql, id, false));
        if (!meeting) return errors::NotFound(request.name());
        printed.meeting = *meeting;
        for (const v1::PersonName& name : meeting->names())
          printed.names[name.subject()] = name.display_name();
        for (const v1::MeetingItem& item : meeting->items()) {
          YZ_RETURN_IF_ERROR(add_case(item.case_name()));
          if (item.objection().empty()) continue;
          YZ_ASSIGN_OR_RETURN(const auto objection, store_.Objection(sql, item.objection(), false));
          if (objection) printed.objections.push_back(*objection);
        }
        break;
      }
      case v1::DOCUMENT_KIND_PUBLIC_NOTICE:
      case v1::DOCUMENT_KIND_NOTICE_RESULT: {
        YZ_ASSIGN_OR_RETURN(const auto notice, store_.Notice(sql, id, false));
        if (!notice) return errors::NotFound(request.name());
        printed.notice = *notice;
        for (const v1::AwardLine& line : notice->lines())
          YZ_RETURN_IF_ERROR(add_case(line.case_name()));
        YZ_ASSIGN_OR_RETURN(printed.objections,
                            store_.Objections(sql, id, {"", kMostRows}));
        break;
      }
      default: {
        if (!context.caller.roles.Intersects(kObjectionOfficers))
          return errors::NotFound(request.name());
        YZ_ASSIGN_OR_RETURN(auto objection, store_.Objection(sql, request.name(), false));
        if (!objection) return errors::NotFound(request.name());
        YZ_RETURN_IF_ERROR(add_case(objection->case_name()));
        printed.objections.push_back(*std::move(objection));
      }
    }
    YZ_ASSIGN_OR_RETURN(const Rules rules,
                        RulesOf(printed.cases.begin()->second, journal_.clocks().business->Now()));
    printed.rules = &rules;
    printed.files = files_.Current(sql, id);
    return PrintOf(request.kind(), request.name(), printed, answer);
  });
}

}  // namespace yuezhan::review
