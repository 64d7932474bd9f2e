// What a reader only hands on reaches whoever is sent the message, byte for byte.
#include "common/host/sealed_message.h"

#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan {
namespace {

using google::protobuf::util::MessageDifferencer;
using registry::v1::Station;

const Aside kAside = {{Station::kFindingsFieldNumber, Station::kPolicyFieldNumber},
                      {{Station::kFormFieldNumber,
                        {registry::v1::FilingForm::kPurposeFieldNumber,
                         registry::v1::FilingForm::kSocietyFieldNumber}}}};

Station Sample() {
  Station station;
  station.set_name("stations/1");
  station.mutable_form()->set_display_name("绿色化工服务站");
  station.mutable_form()->set_purpose("服务园区产业");
  station.mutable_form()->mutable_society()->set_name("岳阳市化工学会");
  station.mutable_form()->mutable_contact()->set_mobile("13800001234");
  station.set_reason("停站");
  station.mutable_policy()->set_version("yueyang-2021");
  for (int i = 0; i < 3; ++i) {
    station.add_findings()->set_rule_id("filing.rule-" + std::to_string(i));
    station.add_points("补正第" + std::to_string(i) + "项");
  }
  return station;
}

TEST(Aside, IsSeenByNoReaderAndHandedOnWhole) {
  const Station whole = Sample();
  Station read;
  ASSERT_TRUE(ParseMessage(whole.SerializeAsString(), kAside, &read));
  EXPECT_EQ(read.findings_size(), 0);
  EXPECT_FALSE(read.has_policy());
  EXPECT_EQ(read.form().display_name(), whole.form().display_name());
  EXPECT_EQ(read.form().contact().mobile(), whole.form().contact().mobile());
  EXPECT_EQ(read.form().purpose(), "");
  EXPECT_FALSE(read.form().has_society());
  EXPECT_EQ(read.points_size(), 3);
  Station sent;
  ASSERT_TRUE(sent.ParseFromString(read.SerializeAsString()));
  EXPECT_TRUE(MessageDifferencer::Equals(sent, whole));
}

TEST(Aside, NothingIsAllParsed) {
  Station read;
  ASSERT_TRUE(ParseMessage(Sample().SerializeAsString(), {}, &read));
  EXPECT_EQ(read.findings_size(), 3);
}

TEST(Aside, BytesCutOffAnywhereAreNoMessage) {
  Station three;
  for (int i = 0; i < 3; ++i) *three.add_findings() = Sample().findings(i);
  const std::string bytes = three.SerializeAsString();
  const size_t one = bytes.size() / 3;
  for (size_t size = 1; size < bytes.size(); ++size) {
    Station read;
    EXPECT_EQ(ParseMessage(bytes.substr(0, size), kAside, &read), size % one == 0) << size;
  }
}

}  // namespace
}  // namespace yuezhan
