#include "tests/bench/methods.h"

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "yuezhan/application/v1/application.pb.h"
#include "yuezhan/payment/v1/payment.pb.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::bench {
namespace {

using google::protobuf::Message;

constexpr int kPageSize = 50;
constexpr int kRecorders = 16;
// Writes that use nothing up have as many requests as anybody wants.
constexpr int64_t kUnlimited = int64_t{1} << 40;

template <typename Request>
std::function<std::unique_ptr<Message>(int64_t)> RequestOf(
    std::function<void(int64_t, Request&)> fill) {
  return [fill = std::move(fill)](int64_t i) {
    auto request = std::make_unique<Request>();
    if (const auto* id = Request::descriptor()->FindFieldByName("request_id")) {
      request->GetReflection()->SetString(request.get(), id, NewUuid());
    }
    fill(i, *request);
    return request;
  };
}

const std::string& At(const std::vector<std::string>& names, int64_t i) {
  return names[static_cast<size_t>(i) % names.size()];
}

// The token of each page but the last.
std::vector<std::string> PageTokens(const Caller& caller, InProcess& in) {
  std::vector<std::string> tokens;
  registry::v1::ListStationsRequest request;
  request.set_page_size(kPageSize);
  do {
    registry::v1::ListStationsResponse page;
    if (!in.Call(caller, "yuezhan.registry.v1.RegistryService/ListStations", request, &page).ok())
      break;
    if (page.stations_size() == kPageSize) tokens.push_back(request.page_token());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() && tokens.size() < 100);
  return tokens;
}

}  // namespace

std::vector<Method> MakeMethods(const Seeds& seeds, InProcess& in) {
  const auto person = [&](const char* key) { return seeds.scenario.persons.at(key); };
  const auto size = [](const std::vector<std::string>& names) {
    return static_cast<int64_t>(names.size());
  };
  const std::string registry = "yuezhan.registry.v1.RegistryService/";
  const std::string application = "yuezhan.application.v1.ApplicationService/";
  const std::string payment = "yuezhan.payment.v1.PaymentService/";
  const registry::v1::Activity activity = seeds.scenario.stations.front().activities.front();
  const std::vector<std::string> tokens = PageTokens(person("auditor"), in);
  return {
      {"registry", registry + "GetStation", false, person("auditor"),
       RequestOf<registry::v1::GetStationRequest>(
           [&seeds](int64_t i, auto& r) { r.set_name(At(seeds.stations, i)); }),
       size(seeds.stations)},
      {"registry", registry + "ListStations", false, person("auditor"),
       RequestOf<registry::v1::ListStationsRequest>([tokens](int64_t i, auto& r) {
         r.set_page_size(kPageSize);
         if (!tokens.empty()) r.set_page_token(At(tokens, i));
       }),
       std::max<int64_t>(1, size(tokens))},
      {"application", application + "CheckEligibility", false, person("auditor"),
       RequestOf<application::v1::CheckEligibilityRequest>(
           [&seeds](int64_t i, auto& r) { r.set_name(At(seeds.drafts, i)); }),
       size(seeds.drafts)},
      {"registry", registry + "RecordActivity", true, seeds.host,
       RequestOf<registry::v1::RecordActivityRequest>([&seeds, activity](int64_t i, auto& r) {
         r.set_parent(At(seeds.stations, i));
         *r.mutable_activity() = activity;
       }),
       kUnlimited},
      {"application", application + "SubmitApplication", true, seeds.host,
       RequestOf<application::v1::SubmitApplicationRequest>(
           [&seeds](int64_t i, auto& r) { r.set_name(At(seeds.drafts, i)); }),
       size(seeds.drafts)},
      {"payment", payment + "AuthorizePayment", true, person("authorizer"),
       RequestOf<payment::v1::AuthorizePaymentRequest>(
           [&seeds](int64_t i, auto& r) { r.set_name(At(seeds.orders, i)); }),
       size(seeds.orders)},
  };
}

absl::StatusOr<Prepared> Prepare(const Method& method, World& world, InProcess& recorder,
                                 int64_t begin, int64_t count) {
  Prepared prepared;
  prepared.method = method;
  YZ_ASSIGN_OR_RETURN(const std::string token, world.stack().client().Token(method.caller));
  if (!method.writes) count = std::min(count, method.distinct);
  if (begin + count > method.distinct) {
    return absl::OutOfRangeError(absl::StrCat("too few seeds for ", method.name));
  }
  prepared.calls.resize(static_cast<size_t>(count));
  prepared.statements.resize(static_cast<size_t>(count));
  YZ_RETURN_IF_ERROR(InParallel(static_cast<int>(count), kRecorders, [&](int i) -> absl::Status {
    const std::unique_ptr<Message> request = method.request(begin + i);
    const std::unique_ptr<Message> answer(recorder.MethodOf(method.name).answer->New());
    prepared.calls[static_cast<size_t>(i)] = {"/" + method.name, token,
                                              request->SerializeAsString()};
    absl::Status status;
    const int64_t nested = InProcess::NestedCalls();
    prepared.statements[static_cast<size_t>(i)] = Record(method.service, [&] {
      status = recorder.Call(method.caller, method.name, *request, answer.get());
    });
    if (i == 0) {
      prepared.answer_bytes = answer->ByteSizeLong();
      prepared.rpcs = 1 + InProcess::NestedCalls() - nested;
    }
    if (status.ok()) return status;
    return absl::Status(status.code(),
                        absl::StrCat(method.ShortName(), ": ", std::string(status.message())));
  }));
  return prepared;
}

}  // namespace yuezhan::bench
