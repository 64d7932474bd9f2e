#include "common/rpc/validation.h"

#include <memory>

#include "common/errors/errors.h"
#include "common/rpc/mask.h"
#include "common/rpc/test_contract.pb.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/unknown_field_set.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace yuezhan::rpc {
namespace {

class Contract : public ::testing::Test {
 protected:
  template <typename Type>
  std::unique_ptr<Type> Make(const std::string& text) {
    auto message = std::make_unique<Type>();
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, message.get())) << text;
    return message;
  }

  // The request that keeps every rule, with `change` merged over it.
  std::unique_ptr<test::Request> Request(const std::string& change) {
    auto request = Make<test::Request>(R"(
        request_id: "r1" station: "stations/0190163d-8694-739b-aea5-966c26f8ad91" kind: KIND_A seq: 1
        people { name: "甲乙丙丁" } leader { name: "b" })");
    request->MergeFrom(*Make<test::Request>(change));
    return request;
  }

  // The paths of the violations, in order, joined by spaces.
  static std::string Paths(const absl::Status& status) {
    std::string paths;
    const auto details = errors::Details(status);
    for (const auto& any : details.details()) {
      google::rpc::BadRequest bad;
      if (!any.UnpackTo(&bad)) continue;
      for (const auto& each : bad.field_violations()) {
        paths += (paths.empty() ? "" : " ") + each.field();
        EXPECT_FALSE(each.description().empty());
      }
    }
    return paths;
  }
};

TEST_F(Contract, RulesAreChecked) {
  const std::string long_text(201, 'x');
  const struct {
    std::string change;
    const char* paths;
  } kCases[] = {
      {"", ""},
      {"request_id: ''", ""},  // proto3 merges no empty string: the base's stays
      {"request_id: 'with space'", "request_id"},
      {"request_id: '" + std::string(64, 'x') + "'", ""},
      {"request_id: '" + std::string(65, 'x') + "'", "request_id"},
      {"request_id: '编号'", "request_id"},
      {"station: 'stations/'", "station"},
      {"station: 'stations/a/b'", "station"},
      {"station: 'station/a'", "station"},
      {"station: 'stations/a b'", "station"},
      {"station: 'stations/-'", "station"},
      {"station: 'stations/" + std::string(65, 'a') + "'", "station"},
      {"any_name: "
       "'stations/0190163d-8694-739b-aea5-966c26f8ad91/activities/"
       "0190163d-8694-739b-aea5-966c26f8ad91'",
       ""},
      {"any_name: 'cases/0190163d-8694-739b-aea5-966c26f8ad91'", ""},
      {"any_name: 'stations/a'", "any_name"},
      {"kind: 7", "kind"},
      {"kinds: [KIND_A, 9]", "kinds[1]"},
      {"score: 100", ""},
      {"score: 101", "score"},
      {"score: -1", "score"},
      {"signed_number: -5", ""},
      {"signed_number: -6", "signed_number"},
      {"ratio: 1", ""},
      {"ratio: 1.01", "ratio"},
      {"ratio: nan", "ratio"},
      {"ratio: inf", "ratio"},
      {"data: 'abc'", ""},
      {"data: 'abcd'", "data"},
      {"people { name: 'b' }", ""},
      {"people { name: 'b' } people { name: 'c' }", "people"},
      {"people { phone: '1' }", "people[1].name"},
      {"leader { deputy { name: '甲乙丙丁戊' } }", "leader.deputy.name"},
      {"leader { deputy { deputy { name: '' } } }", "leader.deputy.name leader.deputy.deputy.name"},
      {"day { year: 2024 month: 2 day: 29 }", ""},
      {"day { year: 2023 month: 2 day: 29 }", "day"},
      {"day { year: 2023 }", "day"},
      {"day { }", "day"},
      {"amount { currency_code: 'CNY' units: 1 nanos: 10000000 }", ""},
      {"amount { currency_code: 'CNY' nanos: 1 }", "amount"},
      {"amount { currency_code: 'USD' }", "amount"},
      {"time { seconds: 1 }", ""},
      {"time { nanos: -1 }", "time"},
      {"note: '" + long_text + "'", "note"},
      {"note: 'a\\tb\\n'", ""},
      {"note: 'a\\000b'", "note"},
      {"note: 'a\\033b'", "note"},
      {"accounts: '" + long_text + "'", "accounts[0]"},
      {"page_size: 1000", ""},
      {"page_size: 1001", "page_size"},
      {"page_size: -1", "page_size"},
      {"by_name { key: 'a' value { name: '甲乙丙丁戊' } }", "by_name[0].value.name"},
      {"score: 101 page_size: -1 kind: 7", "kind score page_size"},
  };
  for (const auto& each : kCases) {
    const auto request = Request(each.change);
    const absl::Status status = CheckRequest(request.get());
    EXPECT_EQ(Paths(status), each.paths) << each.change;
    EXPECT_EQ(status.ok(), *each.paths == '\0') << status;
  }
}

TEST_F(Contract, AllThatIsMissingIsTold) {
  const auto empty = Make<test::Request>("");
  EXPECT_EQ(Paths(CheckRequest(empty.get())), "request_id station kind seq people leader");
}

TEST_F(Contract, UnknownFieldsAreNamed) {
  auto request = Request("");
  request->GetReflection()->MutableUnknownFields(request.get())->AddVarint(99, 1);
  EXPECT_EQ(Paths(CheckRequest(request.get())), "99");

  request = Request("leader { deputy { name: 'a' } }");
  std::string bytes = request->SerializeAsString();
  bytes += "\x62\x03\x98\x06\x01";  // leader { 99: 1 }, merged into the leader there is
  ASSERT_TRUE(request->ParseFromString(bytes));
  EXPECT_EQ(Paths(CheckRequest(request.get())), "leader.99");
}

TEST_F(Contract, OutputOnlyFieldsAreCleared) {
  const auto request = Request("made_by: 'the client says so'");
  EXPECT_TRUE(CheckRequest(request.get()).ok());
  EXPECT_EQ(request->SerializeAsString(), Request("")->SerializeAsString());
}

TEST_F(Contract, ManyViolationsStaySmall) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "kinds: 9 ";
  const auto request = Request(text);
  EXPECT_EQ(Paths(CheckRequest(request.get())), "kinds");  // too many items: told once
  std::string deep = "leader { name: 'a' ";
  for (int i = 0; i < 60; ++i) deep += "deputy { phone: 'x' ";
  for (int i = 0; i < 61; ++i) deep += "}";
  const absl::Status status = CheckRequest(Request(deep).get());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(Contract, PersonalFieldsAreMasked) {
  const auto answer = Request(R"(
      people { phone: "13812341234" secret: "objector" number: 6222 }
      leader { deputy { phone: "0730-8880000" secret: "x" } }
      accounts: "6222020200112233445" accounts: "1234"
      by_name { key: "k" value { phone: "13900001111" } })");
  const std::string before = answer->SerializeAsString();
  MaskPersonal(answer.get());
  const std::string after = answer->DebugString();
  EXPECT_NE(after.find("138****1234"), std::string::npos) << after;
  EXPECT_NE(after.find("073****0000"), std::string::npos) << after;
  EXPECT_NE(after.find("139****1111"), std::string::npos) << after;
  EXPECT_NE(after.find("***************3445"), std::string::npos) << after;
  EXPECT_NE(after.find("\"***4\""), std::string::npos) << after;
  for (const char* hidden : {"objector", "6222", "secret", "13812341234", "8880000"}) {
    EXPECT_EQ(after.find(hidden), std::string::npos) << hidden << "\n" << after;
  }
  EXPECT_TRUE(HoldsPersonal(answer->GetDescriptor()));
  EXPECT_FALSE(HoldsPersonal(test::Plain::descriptor()));
}

// A message whose fields were all left as bytes.
std::unique_ptr<google::protobuf::Message> Unparsed(const google::protobuf::Message& message) {
  std::unique_ptr<google::protobuf::Message> bytes(message.New());
  auto* aside = bytes->GetReflection()->MutableUnknownFields(bytes.get());
  EXPECT_TRUE(aside->ParseFromString(message.SerializeAsString()));
  return bytes;
}

// What is sent as bytes is masked as what was parsed is.
TEST_F(Contract, PersonalFieldsAreMaskedInBytesToo) {
  const auto parsed = Request(R"(
      request_id: "r" kinds: 1 score: 7
      people { name: "a" phone: "13812341234" secret: "objector" number: 6222 } people { phone: "1" }
      leader { deputy { phone: "0730-8880000" secret: "x" deputy { number: 1 name: "b" } } }
      accounts: "6222020200112233445" accounts: "1234"
      by_name { key: "k" value { phone: "13900001111" } })");
  const auto bytes = Unparsed(*parsed);
  std::vector<std::string> resources;
  EXPECT_TRUE(FindPersonal(*bytes, &resources));
  MaskPersonal(parsed.get());
  MaskPersonal(bytes.get());
  std::unique_ptr<google::protobuf::Message> sent(parsed->New());
  ASSERT_TRUE(sent->ParseFromString(bytes->SerializeAsString()));
  EXPECT_EQ(sent->DebugString(), parsed->DebugString());
}

// A value that is no message, or is cut off, is left out, not shown.
TEST_F(Contract, BytesThatCannotBeReadAreNotShown) {
  for (const std::string value : {"\x12", "\x12\x7f 13812341234", "\xff\xff 13812341234"}) {
    test::Request answer;
    answer.GetReflection()
        ->MutableUnknownFields(&answer)
        ->AddLengthDelimited(test::Request::kLeaderFieldNumber)
        ->assign(value);
    std::vector<std::string> resources;
    EXPECT_TRUE(FindPersonal(answer, &resources));
    MaskPersonal(&answer);
    EXPECT_EQ(answer.SerializeAsString(), "") << value;
  }
}

TEST(Mask, ShowsLittleOfShortOnes) {
  EXPECT_EQ(MaskPhone("13812341234"), "138****1234");
  EXPECT_EQ(MaskPhone("13812345"), "****45");
  EXPECT_EQ(MaskPhone("1"), "****");
  EXPECT_EQ(MaskAccount("6222020200112233445"), "***************3445");
  EXPECT_EQ(MaskAccount("123456"), "****56");
  EXPECT_EQ(MaskAccount("12"), "**");
  EXPECT_EQ(MaskAccount("建行12345678901"), "*********8901");
}

}  // namespace
}  // namespace yuezhan::rpc
