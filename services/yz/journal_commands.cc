#include <cstdio>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "services/yz/client.h"
#include "services/yz/commands.h"
#include "services/yz/journal_check.h"
#include "services/yz/settings.h"

namespace yuezhan::yz {
namespace {

namespace v1 = journal::v1;

std::string Method(const char* name) {
  return absl::StrCat("yuezhan.journal.v1.JournalService/", name);
}

// The services named, or all four.
Words Chosen(const Words& words) {
  if (!words.empty()) return words;
  return Words(std::begin(kServices), std::end(kServices));
}

struct Session {
  std::unique_ptr<Client> client;
  Caller caller;
};
absl::StatusOr<Session> Begin(const std::string& default_role) {
  YZ_ASSIGN_OR_RETURN(Profile profile, ProfileFromFlags());
  YZ_ASSIGN_OR_RETURN(Caller caller, CallerFromFlags(default_role));
  return Session{std::make_unique<Client>(std::move(profile)), std::move(caller)};
}

void Print(const std::string& service, const v1::Follower& follower) {
  std::printf("%-12s ← %-12s %8lld  %s%s%s\n", service.c_str(), follower.source().c_str(),
              static_cast<long long>(follower.seq()),
              v1::FollowerState_Name(follower.state()).c_str() + sizeof("FOLLOWER_STATE_") - 1,
              follower.reason().empty() ? "" : ": ", follower.reason().c_str());
}

absl::Status NeedReason() {
  return absl::GetFlag(FLAGS_reason).empty() ? absl::InvalidArgumentError("--reason: must be given")
                                             : absl::OkStatus();
}

}  // namespace

absl::Status JournalVerify(const Words& words) {
  YZ_ASSIGN_OR_RETURN(const Session session, Begin("auditor"));
  bool all_right = true;
  for (const std::string& service : Chosen(words)) {
    YZ_ASSIGN_OR_RETURN(const auto answer, VerifyWhole(*session.client, session.caller, service));
    const auto last = static_cast<long long>(answer.last_verified());
    if (answer.fault() == v1::FAULT_UNSPECIFIED) {
      std::printf("%-12s %8lld  完好 right\n", service.c_str(), last);
      continue;
    }
    all_right = false;
    std::printf("%-12s %8lld  %s, first wrong row %lld: %s\n", service.c_str(), last,
                v1::Fault_Name(answer.fault()).c_str(),
                static_cast<long long>(answer.first_wrong()), answer.explanation().c_str());
  }
  return all_right ? absl::OkStatus() : absl::DataLossError("a journal is not as it was written");
}

absl::Status JournalHead(const Words& words) {
  YZ_ASSIGN_OR_RETURN(const Session session, Begin("auditor"));
  for (const std::string& service : Chosen(words)) {
    v1::GetHeadResponse answer;
    YZ_RETURN_IF_ERROR(session.client->CallAt(service, session.caller, Method("GetHead"),
                                              v1::GetHeadRequest(), &answer));
    std::printf("%-12s %8lld  %s  key %s\n", service.c_str(),
                static_cast<long long>(answer.head().seq()), ToHex(answer.head().hash()).c_str(),
                answer.head().key_id().c_str());
  }
  return absl::OkStatus();
}

absl::Status JournalFollowers(const Words& words) {
  YZ_ASSIGN_OR_RETURN(const Session session, Begin("auditor"));
  for (const std::string& service : Chosen(words)) {
    v1::ListFollowersResponse answer;
    YZ_RETURN_IF_ERROR(session.client->CallAt(service, session.caller, Method("ListFollowers"),
                                              v1::ListFollowersRequest(), &answer));
    for (const v1::Follower& follower : answer.followers()) Print(service, follower);
  }
  return absl::OkStatus();
}

absl::Status JournalSkip(const Words& words) {
  YZ_RETURN_IF_ERROR(NeedReason());
  v1::SkipEntryRequest request;
  int64_t seq = 0;
  if (!absl::SimpleAtoi(words[2], &seq)) return absl::InvalidArgumentError("SEQ must be a number");
  request.set_request_id(NewUuid());
  request.set_source(words[1]);
  request.set_seq(seq);
  request.set_reason(absl::GetFlag(FLAGS_reason));
  YZ_ASSIGN_OR_RETURN(const Session session, Begin("operator"));
  v1::SkipEntryResponse answer;
  YZ_RETURN_IF_ERROR(
      session.client->CallAt(words[0], session.caller, Method("SkipEntry"), request, &answer));
  Print(words[0], answer.follower());
  return absl::OkStatus();
}

absl::Status JournalResume(const Words& words) {
  YZ_RETURN_IF_ERROR(NeedReason());
  v1::ResumeFollowerRequest request;
  request.set_request_id(NewUuid());
  request.set_source(words[1]);
  request.set_reason(absl::GetFlag(FLAGS_reason));
  YZ_ASSIGN_OR_RETURN(const Session session, Begin("operator"));
  v1::ResumeFollowerResponse answer;
  YZ_RETURN_IF_ERROR(
      session.client->CallAt(words[0], session.caller, Method("ResumeFollower"), request, &answer));
  Print(words[0], answer.follower());
  return absl::OkStatus();
}

}  // namespace yuezhan::yz
