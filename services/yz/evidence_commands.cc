#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "google/protobuf/util/json_util.h"
#include "services/yz/client.h"
#include "services/yz/commands.h"
#include "services/yz/evidence.h"
#include "services/yz/files.h"
#include "services/yz/settings.h"

namespace yuezhan::yz {

absl::Status Evidence(const Words& words) {
  YZ_ASSIGN_OR_RETURN(Profile profile, ProfileFromFlags());
  YZ_ASSIGN_OR_RETURN(const Caller caller, CallerFromFlags("auditor"));
  Client client(std::move(profile));
  const std::string case_name =
      absl::StartsWith(words[0], "cases/") ? words[0] : absl::StrCat("cases/", words[0]);
  YZ_ASSIGN_OR_RETURN(
      const auto evidence,
      CollectEvidence(
          [&](const std::string& service, std::string_view method,
              const google::protobuf::Message& request, google::protobuf::Message* answer) {
            return client.CallAt(service, caller, method, request, answer);
          },
          Words(std::begin(kServices), std::end(kServices)), case_name));
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(evidence, &json, options).ok())
    return absl::InternalError("the evidence cannot be written as JSON");
  const std::string file =
      words.size() > 1 ? words[1]
                       : absl::StrCat("evidence-", case_name.substr(sizeof("cases/") - 1), ".json");
  YZ_RETURN_IF_ERROR(WriteFile(file, json));
  std::printf("%s: %d步 steps, ", file.c_str(), evidence.history_size());
  for (const auto& chain : evidence.chains())
    std::printf("%s %d, ", chain.service().c_str(), chain.proofs_size());
  std::printf("%zu字节 bytes\n", json.size());
  return absl::OkStatus();
}

absl::Status EvidenceVerify(const Words& words) {
  YZ_ASSIGN_OR_RETURN(const std::string json, ReadFile(words[0]));
  review::v1::CaseEvidence evidence;
  if (!google::protobuf::util::JsonStringToMessage(json, &evidence).ok())
    return absl::InvalidArgumentError(absl::StrCat(words[0], " is no evidence of a case"));
  const auto report =
      VerifyEvidence(evidence, std::set<std::string>(words.begin() + 1, words.end()));
  for (const auto& step : evidence.history()) {
    std::printf("%6lld  %-24s %-4s %s%s%s %s\n", static_cast<long long>(step.seq()),
                step.method().c_str(), step.article().c_str(), step.actor().c_str(),
                step.on_behalf_of().empty() ? "" : " → ", step.on_behalf_of().c_str(),
                step.to_state().c_str());
  }
  for (const std::string& remark : report.remarks) std::printf("说明 remark: %s\n", remark.c_str());
  for (const std::string& fault : report.faults) std::printf("不符 wrong: %s\n", fault.c_str());
  std::printf("%s: %d条 entries proven, %d opened, %d步 steps; signed by", words[0].c_str(),
              report.entries, report.opened, report.steps);
  for (const std::string& key : report.keys) std::printf(" %s", key.c_str());
  std::printf("%s\n", words.size() > 1 ? "" : "（未与可信密钥比对 keys not compared with trusted ones）");
  return report.faults.empty() ? absl::OkStatus()
                               : absl::DataLossError("the evidence does not prove what it says");
}

}  // namespace yuezhan::yz
