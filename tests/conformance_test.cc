// Every method of the contract against what no client should send: the right code with details,
// never UNKNOWN or INTERNAL, and the state as before.
#include <cstdlib>
#include <random>

#include "common/base/ids.h"
#include "common/db/session.h"
#include "common/errors/errors.h"
#include "common/rpc/test_support.h"
#include "gmock/gmock.h"
#include "google/protobuf/unknown_field_set.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "tests/sample_request.h"
#include "tests/test_stack.h"
#include "yuezhan/common/v1/options.pb.h"

namespace yuezhan::tests {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

constexpr int kInvalidArgument = 3, kUnknown = 2, kInternal = 13;

std::unique_ptr<Message> NewRequest(const MethodDescriptor& method) {
  const auto* type =
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(method.input_type());
  return std::unique_ptr<Message>(type->New());
}

class Conformance : public testing::Test {
 protected:
  static void SetUpTestSuite() { stack_ = new TestStack({.tls = false}); }
  static void TearDownTestSuite() {
    delete stack_;
    stack_ = nullptr;
  }

  // One caller with every role: what is refused here is refused for what it says, not for who says
  // it.
  static Caller Everybody() {
    Caller caller{"everybody", "各岗", {}, ""};
    for (int i = 0; i < kRoleCount; ++i) caller.roles.Add(static_cast<Role>(i));
    return caller;
  }

  struct Outcome {
    int code;
    google::rpc::Status details;
    std::string reason;
  };
  static Outcome Call(const MethodDescriptor& method, const std::string& bytes) {
    std::string service = yz::ServiceOf(PathOf(method));
    if (service.empty()) service = "registry";
    const auto answer =
        rpc::CallRaw(stack_->TargetOf(service), "/" + PathOf(method), bytes,
                     {{"authorization", "Bearer " + stack_->client().Token(Everybody()).value()}});
    Outcome outcome{answer.code, {}, ""};
    outcome.details.ParseFromString(answer.details);
    for (const auto& any : outcome.details.details()) {
      google::rpc::ErrorInfo info;
      if (any.UnpackTo(&info)) outcome.reason = info.reason();
    }
    return outcome;
  }
  // What each answer to nonsense must be.
  static void ExpectDecent(const Outcome& outcome, const std::string& what) {
    EXPECT_NE(outcome.code, kUnknown) << what;
    EXPECT_NE(outcome.code, kInternal) << what << " " << outcome.reason;
    EXPECT_EQ(outcome.reason.empty(), outcome.code == 0) << what << " code " << outcome.code;
  }
  // Paths of the BadRequest.
  static std::vector<std::string> Fields(const Outcome& outcome) {
    std::vector<std::string> fields;
    for (const auto& any : outcome.details.details()) {
      google::rpc::BadRequest bad;
      if (!any.UnpackTo(&bad)) continue;
      for (const auto& violation : bad.field_violations()) fields.push_back(violation.field());
    }
    return fields;
  }

  // Journal rows that callers made, in all services.
  static int64_t CallersRows() { return stack_->CountAll("journal"); }

  static TestStack* stack_;
};

TestStack* Conformance::stack_ = nullptr;

TEST_F(Conformance, GarbageIsMalformed) {
  const int64_t before = CallersRows();
  for (const auto* method : AllMethods()) {
    const auto outcome = Call(*method, "\xff\xff\xff\xff garbage");
    EXPECT_EQ(outcome.code, kInvalidArgument) << method->full_name();
    EXPECT_EQ(outcome.reason, "MALFORMED") << method->full_name();
  }
  EXPECT_EQ(CallersRows(), before);
}

TEST_F(Conformance, TruncatedIsMalformed) {
  for (const auto* method : AllMethods()) {
    auto request = NewRequest(*method);
    FillSample(request.get());
    std::string bytes = request->SerializeAsString();
    if (bytes.size() < 2) continue;
    bytes.pop_back();
    const auto outcome = Call(*method, bytes);
    EXPECT_EQ(outcome.code, kInvalidArgument) << method->full_name();
    ExpectDecent(outcome, method->full_name());
  }
}

TEST_F(Conformance, UnknownFieldsAreNamed) {
  for (const auto* method : AllMethods()) {
    auto request = NewRequest(*method);
    FillSample(request.get());
    request->GetReflection()->MutableUnknownFields(request.get())->AddVarint(9999, 1);
    const auto outcome = Call(*method, request->SerializeAsString());
    EXPECT_EQ(outcome.code, kInvalidArgument) << method->full_name();
    EXPECT_THAT(Fields(outcome), testing::Contains(testing::HasSubstr("9999")))
        << method->full_name();
  }
}

TEST_F(Conformance, OversizedIsRefusedWithTheLimit) {
  const std::string bytes = "\x0a" + std::string("\x80\x80\xc0\x02", 4) + std::string(5 << 20, 'x');
  for (const auto* method : AllMethods()) {
    const auto outcome = Call(*method, bytes);
    EXPECT_EQ(outcome.reason, "TOO_LARGE") << method->full_name() << " code " << outcome.code;
  }
}

TEST_F(Conformance, EveryMissingFieldIsNamedAtOnce) {
  for (const auto* method : AllMethods()) {
    std::vector<std::string> required;
    for (int i = 0; i < method->input_type()->field_count(); ++i) {
      const auto& field = *method->input_type()->field(i);
      if (field.options().GetExtension(common::v1::field).required())
        required.push_back(field.name());
    }
    if (required.empty()) continue;
    const auto outcome = Call(*method, "");
    EXPECT_EQ(outcome.code, kInvalidArgument) << method->full_name();
    EXPECT_THAT(Fields(outcome), testing::IsSupersetOf(required)) << method->full_name();
  }
}

TEST_F(Conformance, WrongResourceNamesAreNamed) {
  for (const auto* method : AllMethods()) {
    for (int i = 0; i < method->input_type()->field_count(); ++i) {
      const auto& field = *method->input_type()->field(i);
      if (field.options().GetExtension(common::v1::field).resource().empty()) continue;
      for (const char* wrong :
           {"stations", "wrong/0190163d-8694-739b-aea5-966c26f8ad91", "stations/1", "../x", "/"}) {
        auto request = NewRequest(*method);
        FillSample(request.get());
        const auto& reflection = *request->GetReflection();
        field.is_repeated() ? reflection.SetRepeatedString(request.get(), &field, 0, wrong)
                            : reflection.SetString(request.get(), &field, wrong);
        const auto outcome = Call(*method, request->SerializeAsString());
        EXPECT_EQ(outcome.code, kInvalidArgument) << method->full_name() << " " << wrong;
        EXPECT_THAT(Fields(outcome), testing::Contains(testing::StartsWith(field.name())))
            << method->full_name();
      }
    }
  }
}

TEST_F(Conformance, ForeignPageTokensAreRefused) {
  for (const auto* method : AllMethods()) {
    const auto* field = method->input_type()->FindFieldByName("page_token");
    if (field == nullptr) continue;
    for (const char* token : {"x", "AAAAAAAAAAAAAAAAAAAAAAAA", "../../etc", "c3RhdGlvbnMvMQ"}) {
      auto request = NewRequest(*method);
      FillSample(request.get());
      request->GetReflection()->SetString(request.get(), field, token);
      const auto outcome = Call(*method, request->SerializeAsString());
      EXPECT_EQ(outcome.reason, "PAGE_TOKEN_INVALID") << method->full_name() << " " << token;
    }
  }
}

TEST_F(Conformance, WhatDoesNotExistIsNotFoundAndChangesNothing) {
  for (const auto* method : AllMethods()) {
    auto request = NewRequest(*method);
    FillSample(request.get());
    const int64_t before = CallersRows();
    const auto outcome = Call(*method, request->SerializeAsString());
    ExpectDecent(outcome, method->full_name());
    if (outcome.code != 0) {
      EXPECT_EQ(CallersRows(), before) << method->full_name() << " refused, and left a row";
    }
    const auto* name = method->input_type()->FindFieldByName("name");
    // A field that is wrong in itself may be told first.
    if (name != nullptr) {
      EXPECT_THAT(outcome.reason, testing::AnyOf("NOT_FOUND", "INVALID_FIELD"))
          << method->full_name();
    }
  }
}

TEST_F(Conformance, MutatedRequestsGetADecentAnswer) {
  const char* given = std::getenv("YUEZHAN_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  const char* rounds_given = std::getenv("YUEZHAN_FUZZ_ROUNDS");
  const int rounds = rounds_given != nullptr ? std::atoi(rounds_given) : 30;
  RecordProperty("seed", std::to_string(seed));
  std::cout << "YUEZHAN_SEED=" << seed << "\n";
  std::mt19937_64 random(seed);
  for (const auto* method : AllMethods()) {
    auto request = NewRequest(*method);
    FillSample(request.get());
    const std::string good = request->SerializeAsString();
    for (int round = 0; round < rounds; ++round) {
      std::string bytes = good;
      for (size_t n = random() % 4 + 1; n > 0 && !bytes.empty(); --n) {
        const size_t at = random() % bytes.size();
        switch (random() % 4) {
          case 0:
            bytes[at] = static_cast<char>(random());
            break;
          case 1:
            bytes.erase(at, 1);
            break;
          case 2:
            bytes.insert(at, 1, static_cast<char>(random()));
            break;
          default:
            bytes = bytes.substr(0, at) + bytes;
        }
      }
      ExpectDecent(Call(*method, bytes), method->full_name() + " seed " + std::to_string(seed));
    }
  }
  for (const auto& service : {"registry", "application", "review", "payment"}) {
    EXPECT_TRUE(stack_->client().Healthy(service, WallNow() + absl::Seconds(5)).value_or(false))
        << service;
  }
}

}  // namespace
}  // namespace yuezhan::tests
