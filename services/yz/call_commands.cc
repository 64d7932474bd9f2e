#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/csv.h"
#include "common/base/ids.h"
#include "common/base/settings.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/util/json_util.h"
#include "services/yz/client.h"
#include "services/yz/commands.h"
#include "services/yz/csv.h"
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

using google::protobuf::FieldDescriptor;
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

// A call as the words say it, ready to be made, again and again.
struct Prepared {
  std::string path;
  std::string service;
  Caller caller;
  std::unique_ptr<google::protobuf::Message> request;
  std::unique_ptr<google::protobuf::Message> answer;
  std::unique_ptr<Client> client;

  absl::Status Run() { return client->CallAt(service, caller, path, *request, answer.get()); }
};

absl::StatusOr<Prepared> Prepare(const Words& words) {
  YZ_ASSIGN_OR_RETURN(const MethodDescriptor* method, FindMethod(words[0]));
  google::protobuf::MessageFactory* const factory =
      google::protobuf::MessageFactory::generated_factory();
  Prepared call;
  call.request.reset(factory->GetPrototype(method->input_type())->New());
  call.answer.reset(factory->GetPrototype(method->output_type())->New());
  // "@FILE": a request that is too long for a command line, or that nobody else may read there.
  YZ_ASSIGN_OR_RETURN(const std::string json, ReadSecret(words.size() > 1 ? words[1] : "{}"));
  const auto read = google::protobuf::util::JsonStringToMessage(json, call.request.get());
  if (!read.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(method->input_type()->full_name(), ": ",
                                                   std::string(read.message().ToString())));
  }
  YZ_ASSIGN_OR_RETURN(Profile profile, ProfileFromFlags());
  YZ_ASSIGN_OR_RETURN(call.caller, CallerFromFlags("auditor"));
  call.path = absl::StrCat(method->service()->full_name(), "/", method->name());
  const std::string at = absl::GetFlag(FLAGS_at);
  call.service = at.empty() ? ServiceOf(call.path) : at;
  if (call.service.empty()) {
    return absl::InvalidArgumentError("--at: must name the service whose journal is meant");
  }
  call.client = std::make_unique<Client>(std::move(profile));
  return call;
}

// The list in an answer: its one repeated message.
const FieldDescriptor* ItemsOf(const google::protobuf::Descriptor* answer) {
  for (int i = 0; i < answer->field_count(); ++i) {
    const FieldDescriptor* field = answer->field(i);
    if (field->is_repeated() && field->message_type() != nullptr) return field;
  }
  return nullptr;
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
  YZ_ASSIGN_OR_RETURN(Prepared call, Prepare(words));
  GiveRequestId(call.request.get());
  YZ_RETURN_IF_ERROR(call.Run());
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  std::string json;
  (void)google::protobuf::util::MessageToJsonString(*call.answer, &json, options);
  std::printf("%s", json.c_str());
  return absl::OkStatus();
}

absl::Status Csv(const Words& words) {
  YZ_ASSIGN_OR_RETURN(Prepared call, Prepare(words));
  const FieldDescriptor* token = call.request->GetDescriptor()->FindFieldByName("page_token");
  const FieldDescriptor* next = call.answer->GetDescriptor()->FindFieldByName("next_page_token");
  const FieldDescriptor* items = ItemsOf(call.answer->GetDescriptor());
  if (token == nullptr || next == nullptr || items == nullptr)
    return absl::InvalidArgumentError(absl::StrCat(words[0], " is no list"));
  const std::vector<std::string> paths =
      absl::StrSplit(absl::GetFlag(FLAGS_columns), ',', absl::SkipEmpty());
  auto columns = CsvColumns(items->message_type(), paths);
  if (!columns.ok()) return columns.status();
  if (paths.empty()) *columns = AllCsvColumns(items->message_type());
  std::vector<std::string> cells;
  for (const CsvColumn& column : *columns) cells.push_back(column.path);
  // Spreadsheets read UTF-8 by this mark only.
  std::printf("\xEF\xBB\xBF%s", CsvLine(cells).c_str());
  do {
    YZ_RETURN_IF_ERROR(call.Run());
    const auto* reflection = call.answer->GetReflection();
    for (int i = 0; i < reflection->FieldSize(*call.answer, items); ++i) {
      cells.clear();
      for (const CsvColumn& column : *columns)
        cells.push_back(CsvValue(reflection->GetRepeatedMessage(*call.answer, items, i), column));
      std::printf("%s", CsvLine(cells).c_str());
    }
    call.request->GetReflection()->SetString(call.request.get(), token,
                                             reflection->GetString(*call.answer, next));
  } while (!call.request->GetReflection()->GetString(*call.request, token).empty());
  return absl::OkStatus();
}

}  // namespace yuezhan::yz
