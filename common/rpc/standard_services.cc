#include "common/rpc/standard_services.h"

#include <algorithm>
#include <set>
#include <vector>

#include "common/errors/errors.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"

namespace yuezhan::rpc {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;

constexpr char kHealth[] = "grpc.health.v1.Health";
constexpr char kReflection[] = "grpc.reflection.v1alpha.ServerReflection";

// The file and all that it imports, each once, imports first.
void AddWithImports(const FileDescriptor* file, std::set<const FileDescriptor*>* seen,
                    ServerReflectionResponse* answer) {
  if (!seen->insert(file).second) return;
  for (int i = 0; i < file->dependency_count(); ++i) {
    AddWithImports(file->dependency(i), seen, answer);
  }
  google::protobuf::FileDescriptorProto proto;
  file->CopyTo(&proto);
  answer->mutable_file_descriptor_response()->add_file_descriptor_proto(proto.SerializeAsString());
}

void AnswerFile(const FileDescriptor* file, ServerReflectionResponse* answer) {
  if (file == nullptr) {
    answer->mutable_error_response()->set_error_code(static_cast<int>(absl::StatusCode::kNotFound));
    answer->mutable_error_response()->set_error_message("not found");
    return;
  }
  std::set<const FileDescriptor*> seen;
  AddWithImports(file, &seen, answer);
}

const FileDescriptor* FileOfExtension(const DescriptorPool& pool,
                                      const ServerReflectionRequest& request) {
  const auto& wanted = request.file_containing_extension();
  const auto* type = pool.FindMessageTypeByName(wanted.containing_type());
  if (type == nullptr) return nullptr;
  const FieldDescriptor* field = pool.FindExtensionByNumber(type, wanted.extension_number());
  return field == nullptr ? nullptr : field->file();
}

void AnswerExtensionNumbers(const DescriptorPool& pool, const std::string& name,
                            ServerReflectionResponse* answer) {
  const auto* type = pool.FindMessageTypeByName(name);
  if (type == nullptr) return AnswerFile(nullptr, answer);
  std::vector<const FieldDescriptor*> fields;
  pool.FindAllExtensions(type, &fields);
  answer->mutable_all_extension_numbers_response()->set_base_type_name(name);
  for (const FieldDescriptor* field : fields) {
    answer->mutable_all_extension_numbers_response()->add_extension_number(field->number());
  }
}

}  // namespace

void StandardServices::Bind(Methods& methods, bool reflection) {
  Service health(kHealth);
  health.Add("Check", &StandardServices::Check, this);
  methods.BindOpen(health, /*streams=*/false);
  if (!reflection) return;
  // Both versions have the same messages.
  for (const char* name : {kReflection, "grpc.reflection.v1.ServerReflection"}) {
    Service service(name);
    service.Add("ServerReflectionInfo", &StandardServices::Reflect, this);
    methods.BindOpen(service, /*streams=*/true);
  }
}

absl::Status StandardServices::Check(Context&, const HealthCheckRequest& request,
                                     HealthCheckResponse* answer) {
  const auto& services = methods_.services();
  if (!request.service().empty() &&
      std::find(services.begin(), services.end(), request.service()) == services.end()) {
    return errors::NotFound(request.service());
  }
  answer->set_status(serving_ ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING);
  return absl::OkStatus();
}

absl::Status StandardServices::Reflect(Context&, const ServerReflectionRequest& request,
                                       ServerReflectionResponse* answer) {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  answer->set_valid_host(request.host());
  *answer->mutable_original_request() = request;
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kFileByFilename:
      AnswerFile(pool.FindFileByName(request.file_by_filename()), answer);
      break;
    case ServerReflectionRequest::kFileContainingSymbol:
      AnswerFile(pool.FindFileContainingSymbol(request.file_containing_symbol()), answer);
      break;
    case ServerReflectionRequest::kFileContainingExtension:
      AnswerFile(FileOfExtension(pool, request), answer);
      break;
    case ServerReflectionRequest::kAllExtensionNumbersOfType:
      AnswerExtensionNumbers(pool, request.all_extension_numbers_of_type(), answer);
      break;
    case ServerReflectionRequest::kListServices:
      for (const std::string& name : methods_.services()) {
        answer->mutable_list_services_response()->add_service()->set_name(name);
      }
      for (const char* name : {kHealth, kReflection}) {
        answer->mutable_list_services_response()->add_service()->set_name(name);
      }
      break;
    case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      return errors::InvalidField("message_request", "不得为空", "must be given");
  }
  return absl::OkStatus();
}

}  // namespace yuezhan::rpc
