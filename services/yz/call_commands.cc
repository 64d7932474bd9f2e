#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/util/json_util.h"
#include "services/yz/client.h"
#include "services/yz/commands.h"
#include "services/yz/settings.h"
#include "yuezhan/application/v1/application.pb.h"
#include "yuezhan/bank/v1/bank.pb.h"
#include "yuezhan/journal/v1/journal.pb.h"
#include "yuezhan/payment/v1/payment.pb.h"
#include "yuezhan/payment/v1/reconciliation.pb.h"
#include "yuezhan/registry/v1/registry.pb.h"
#include "yuezhan/review/v1/review.pb.h"

namespace yuezhan::yz {
namespace {

using google::protobuf::MethodDescriptor;

// The services of the contract by a short word; the descriptors also keep their code in the binary.
struct KnownService {
  const char* word;
  const char* name;
  const google::protobuf::Descriptor* any_message;
};
const KnownService kKnown[] = {
    {"registry", "yuezhan.registry.v1.RegistryService", registry::v1::Station::descriptor()},
    {"application", "yuezhan.application.v1.ApplicationService",
     application::v1::Application::descriptor()},
    {"review", "yuezhan.review.v1.ReviewService", review::v1::Case::descriptor()},
    {"payment", "yuezhan.payment.v1.PaymentService", payment::v1::Payment::descriptor()},
    {"reconciliation", "yuezhan.payment.v1.ReconciliationService",
     payment::v1::Statement::descriptor()},
    {"bank", "yuezhan.bank.v1.BankService", bank::v1::Transfer::descriptor()},
    {"simulator", "yuezhan.bank.v1.SimulatorService", bank::v1::Transfer::descriptor()},
    {"journal", "yuezhan.journal.v1.JournalService", journal::v1::Head::descriptor()},
};

absl::StatusOr<const MethodDescriptor*> FindMethod(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '/');
  if (parts.size() == 2) {
    for (const KnownService& known : kKnown) {
      const auto* service = known.any_message->file()->FindServiceByName(
          std::string(known.name).substr(std::string(known.name).rfind('.') + 1));
      if (parts[0] != known.word && parts[0] != service->full_name() &&
          parts[0] != service->name()) {
        continue;
      }
      if (const auto* method = service->FindMethodByName(parts[1])) return method;
      std::string names;
      for (int i = 0; i < service->method_count(); ++i) {
        absl::StrAppend(&names, " ", service->method(i)->name());
      }
      return absl::NotFoundError(absl::StrCat(service->full_name(), " has:", names));
    }
  }
  return absl::NotFoundError(
      absl::StrCat("\"", text,
                   "\" is no SERVICE/METHOD; services: registry application review payment "
                   "reconciliation bank "
                   "simulator journal"));
}

// A request_id that is not given is made: what is called by hand is meant once.
void GiveRequestId(google::protobuf::Message* request) {
  const auto* field = request->GetDescriptor()->FindFieldByName("request_id");
  if (field == nullptr || !request->GetReflection()->GetString(*request, field).empty()) return;
  const std::string id = NewUuid();
  request->GetReflection()->SetString(request, field, id);
  std::fprintf(stderr, "request_id %s\n", id.c_str());
}

}  // namespace

absl::Status Token(const Words& words) {
  absl::SetFlag(&FLAGS_as, words[0]);
  YZ_ASSIGN_OR_RETURN(Profile profile, ProfileFromFlags());
  YZ_ASSIGN_OR_RETURN(const Caller caller, CallerFromFlags(""));
  const int hours = absl::GetFlag(FLAGS_hours);
  if (hours < 1 || hours > 720) return absl::InvalidArgumentError("--hours: must be 1 to 720");
  Client client(std::move(profile));
  YZ_ASSIGN_OR_RETURN(const std::string token, client.NewToken(caller, absl::Hours(hours)));
  std::printf("%s\n", token.c_str());
  return absl::OkStatus();
}

absl::Status Call(const Words& words) {
  YZ_ASSIGN_OR_RETURN(const MethodDescriptor* method, FindMethod(words[0]));
  google::protobuf::MessageFactory* const factory =
      google::protobuf::MessageFactory::generated_factory();
  const std::unique_ptr<google::protobuf::Message> request(
      factory->GetPrototype(method->input_type())->New());
  const std::unique_ptr<google::protobuf::Message> answer(
      factory->GetPrototype(method->output_type())->New());
  const auto read = google::protobuf::util::JsonStringToMessage(words.size() > 1 ? words[1] : "{}",
                                                                request.get());
  if (!read.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(method->input_type()->full_name(), ": ",
                                                   std::string(read.message().ToString())));
  }
  GiveRequestId(request.get());
  YZ_ASSIGN_OR_RETURN(Profile profile, ProfileFromFlags());
  YZ_ASSIGN_OR_RETURN(const Caller caller, CallerFromFlags("auditor"));
  const std::string path = absl::StrCat(method->service()->full_name(), "/", method->name());
  const std::string at = absl::GetFlag(FLAGS_at);
  const std::string service = at.empty() ? ServiceOf(path) : at;
  if (service.empty()) {
    return absl::InvalidArgumentError("--at: must name the service whose journal is meant");
  }
  Client client(std::move(profile));
  YZ_RETURN_IF_ERROR(client.CallAt(service, caller, path, *request, answer.get()));
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  std::string json;
  (void)google::protobuf::util::MessageToJsonString(*answer, &json, options);
  std::printf("%s", json.c_str());
  return absl::OkStatus();
}

}  // namespace yuezhan::yz
