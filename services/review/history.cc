#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/journal/feed.h"
#include "common/rpc/mask.h"
#include "common/rpc/page_token.h"
#include "services/review/handlers.h"
#include "services/review/history_steps.h"
#include "yuezhan/journal/v1/journal.pb.h"

// A case told by the journal's rows that it consists of.
namespace yuezhan::review {
namespace {

using google::protobuf::Any;
using google::protobuf::Message;

// An answer's entries: a private part may hold a whole case with its findings.
constexpr int64_t kMostBytesOfPage = 1 << 20;

struct Entry {
  journal::v1::PublicPart public_part;
  journal::v1::PrivatePart private_part;
};

absl::StatusOr<Entry> OpenEntry(const journal::Vault& vault, const TrailRow& row) {
  Entry entry;
  YZ_ASSIGN_OR_RETURN(const std::string plain,
                      vault.Open(journal::PrivatePartPlace(row.request_key),
                                 {row.private_part, row.wrapped_key}));
  if (!entry.public_part.ParseFromString(row.public_part) ||
      !entry.private_part.ParseFromString(plain))
    return errors::DataLoss("journal");
  return entry;
}

// Whether the private part says who objects: by what a message holds, or by who sent it.
bool TellsTheObjector(const Entry& entry) {
  for (const Any* any : {&entry.private_part.request(), &entry.private_part.answer()}) {
    const auto message = UnpackAny(*any);
    if (message != nullptr && rpc::HoldsPersonal(message->GetDescriptor())) return true;
  }
  return entry.public_part.subject().empty() && !entry.private_part.subject().empty();
}

absl::StatusOr<int64_t> AfterId(const Context& context, const Message& request) {
  YZ_ASSIGN_OR_RETURN(const std::string token, rpc::ReadPageToken(context.method, request));
  int64_t id = 0;
  if (!token.empty() && !absl::SimpleAtoi(token, &id)) return errors::PageTokenInvalid();
  return id;
}

}  // namespace

absl::Status Handlers::GetCaseHistory(Context& context, const v1::GetCaseHistoryRequest& request,
                                      v1::GetCaseHistoryResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const int64_t after, AfterId(context, request));
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", request.name()));
  const int size = rpc::PageSize(request);
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_ASSIGN_OR_RETURN(const auto review_case, store_.Case(sql, id, false));
    if (!review_case) return errors::NotFound(request.name());
    const auto rows = store_.Trail(sql, id, after, size, false);
    for (const TrailRow& row : rows) {
      YZ_ASSIGN_OR_RETURN(const Entry entry, OpenEntry(vault_, row));
      *answer->add_steps() =
          HistoryStepOf(row.seq, entry.public_part, &entry.private_part, request.name());
    }
    if (static_cast<int>(rows.size()) == size)
      answer->set_next_page_token(
          rpc::MakePageToken(context.method, request, absl::StrCat(rows.back().id)));
    return absl::OkStatus();
  });
}

absl::Status Handlers::GetCaseEvidence(Context& context, const v1::GetCaseEvidenceRequest& request,
                                       v1::GetCaseEvidenceResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const int64_t after, AfterId(context, request));
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", request.name()));
  const int size = rpc::PageSize(request);
  const auto read = [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_ASSIGN_OR_RETURN(const auto review_case, store_.Case(sql, id, false));
    if (!review_case) return errors::NotFound(request.name());
    const auto rows = store_.Trail(sql, id, after, size, true);
    int64_t bytes = 0, last = 0;
    for (const TrailRow& row : rows) {
      if (bytes > kMostBytesOfPage) break;
      YZ_ASSIGN_OR_RETURN(const Entry entry, OpenEntry(vault_, row));
      v1::SealedEntry* sealed = answer->add_entries();
      sealed->set_seq(row.seq);
      sealed->set_request_key(row.request_key);
      sealed->set_private_part(row.private_part);
      if (!TellsTheObjector(entry)) {
        YZ_ASSIGN_OR_RETURN(*sealed->mutable_data_key(), vault_.DataKey(row.wrapped_key));
      }
      bytes += static_cast<int64_t>(row.private_part.size());
      last = row.id;
    }
    const bool all = answer->entries_size() == static_cast<int>(rows.size());
    if (!all || static_cast<int>(rows.size()) == size)
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, absl::StrCat(last)));
    return absl::OkStatus();
  };
  YZ_RETURN_IF_ERROR(db::Read(journal_.pool(), context.deadline, read));
  if (!answer->next_page_token().empty()) return absl::OkStatus();
  answer->set_policy_text(rulebook_.policies().text());
  answer->set_calendar_text(rulebook_.calendar()->text());
  v1::ListFilesRequest files;
  files.set_parent(request.name());
  v1::ListFilesResponse listed;
  YZ_RETURN_IF_ERROR(ListFiles(context, files, &listed));
  *answer->mutable_files() = listed.files();
  return absl::OkStatus();
}

}  // namespace yuezhan::review
