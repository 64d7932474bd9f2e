#include "common/rules/test_facts.h"

#include "common/rules/amount_words.h"
#include "google/protobuf/text_format.h"

namespace yuezhan::rules::testing {
namespace {

template <class Message>
Message Parse(const char* text) {
  Message message;
  if (!google::protobuf::TextFormat::ParseFromString(text, &message)) std::abort();
  return message;
}

constexpr char kHost[] = R"(
  host_unit: "hostUnits/1" display_name: "湖南理工学院科协（演示）" kind: HOST_UNIT_KIND_UNIVERSITY_ASSOCIATION
  credit_code: "51430600501234569L"
  account { holder: "湖南理工学院科协（演示）" bank: "示例银行岳阳分行" number: "1907010109200012345" })";

}  // namespace

google::type::Date Date(std::string_view text) { return DayToProto(D(text)); }

policy::v1::Policy Yueyang() { return **policy::Policies::Builtin().InForceOn(D("2025-01-01")); }

common::v1::Confirmation Confirmation(const char* reason) {
  common::v1::Confirmation confirmation;
  confirmation.set_confirmed(true);
  confirmation.set_reason(reason);
  confirmation.set_officer("officer-a");
  return confirmation;
}

v1::FilingFacts GoodFiling() {
  auto facts = Parse<v1::FilingFacts>(R"(
    station_name: "湖南省石油化工学会岳阳服务站（演示）" level: STATION_LEVEL_PROVINCIAL
    society { name: "湖南省石油化工学会" rank: SOCIETY_RANK_PROVINCIAL supervising_association: "湖南省科协" }
    principal { name: "负责人甲" position: "主任" mobile: "13800000000" }
    contact { name: "联系人甲" position: "秘书" mobile: "0730-0000000" }
    office_address: "岳阳市岳阳楼区（演示）" postcode: "414000" email: "station@example.cn"
    established_on { year: 2023 month: 5 day: 10 }
    industry_chains: "petrochemical-new-materials"
    purpose: "服务石化产业" main_work: "技术咨询与成果转化"
    demand_fit { confirmed: true reason: "与石化产业需求对口" officer: "officer-a" }
    contract_party: CONTRACT_PARTY_HOST_UNIT
    approval_reply { issuer: "湖南省科协" title: "关于同意建站的批复" number: "湘科协〔2023〕12号"
                     date { year: 2023 month: 5 day: 10 } }
    working_conditions { declared: true evidence: "files/1" }
    funding_guarantee { declared: true evidence: "files/2" }
    management_rules { declared: true evidence: "files/3" })");
  *facts.mutable_host() = Parse<v1::HostFacts>(kHost);
  return facts;
}

v1::StandingFacts GoodStanding() {
  auto facts = Parse<v1::StandingFacts>(R"(
    station { station: "stations/1" display_name: "湖南省石油化工学会岳阳服务站（演示）"
              level: STATION_LEVEL_PROVINCIAL filed: true host_unit: "hostUnits/1"
              established_on { year: 2023 month: 5 day: 10 }
              approval_reply { issuer: "湖南省科协" number: "湘科协〔2023〕12号" date { year: 2023 month: 5 day: 10 } } })");
  *facts.mutable_host() = Parse<v1::HostFacts>(kHost);
  return facts;
}

v1::ApplicationFacts GoodApplication() {
  auto facts = Parse<v1::ApplicationFacts>(R"(
    form { station: "stations/1" station_name: "湖南省石油化工学会岳阳服务站（演示）" category: STATION_LEVEL_PROVINCIAL
           subsidy_year: 2025 requested_amount_fen: 5000000 requested_amount_words: "伍万" host_unit: "hostUnits/1"
           main_content: "技术咨询、成果转化" }
    materials { code: "application-form" file_name: "申请表.pdf" media_type: "application/pdf" size_bytes: 100000
                scan_agrees { confirmed: true reason: "一致" } }
    materials { code: "filing-form" file_name: "备案表.pdf" media_type: "application/pdf" size_bytes: 100000
                scan_agrees { confirmed: true reason: "一致" } }
    materials { code: "approval-reply" file_name: "批复.pdf" media_type: "application/pdf" size_bytes: 100000 })");
  *facts.mutable_standing() = GoodStanding();
  *facts.mutable_form()->mutable_account() = facts.standing().host().account();
  return facts;
}

namespace {

v1::StandingFacts Submitted() {
  v1::StandingFacts standing = GoodStanding();
  *standing.mutable_submitted_on() = Date("2025-06-03");
  standing.set_own_source("cases/1");
  return standing;
}

}  // namespace

v1::CaseFacts GoodCase() {
  auto facts = Parse<v1::CaseFacts>(R"(
    assessment { qualified: true assessed_on { year: 2025 month: 7 day: 1 } assessors: "officer-a" assessors: "officer-b"
                 submitted_on { year: 2025 month: 6 day: 3 } }
    opinion { recommendation: RECOMMENDATION_AWARD prepared_by: "officer-a" approved_by: "officer-c" }
    meeting { held_on { year: 2025 month: 9 day: 1 } chair: "director-a" present: "director-a" present: "director-b"
              present: "director-c" recorder: "officer-d" signer: "director-a" association_attends: true
              minutes_number: "〔2025〕3号" }
    resolution: RESOLUTION_AWARD resolved_amount_fen: 5000000)");
  const policy::v1::Policy policy = Yueyang();
  for (const auto& item : policy.assessment().items()) {
    v1::ScoreFacts* score = facts.mutable_assessment()->add_scores();
    score->set_code(item.code());
    score->set_score_hundredths(8500);
  }
  *facts.mutable_standing() = Submitted();
  return facts;
}

v1::NoticeFacts GoodNotice() {
  auto facts = Parse<v1::NoticeFacts>(R"(
    lines { case_name: "cases/1" resolution: RESOLUTION_AWARD resolved_amount_fen: 5000000 listed_amount_fen: 5000000
            reserved_amount_fen: 5000000 resolved_line_digest: "ab" listed_line_digest: "ab" }
    total_fen: 5000000
    text: "现予公示。公示期自2025年9月25日至2025年9月30日。监督电话：0730-0000000，邮编414000。合计50,000.00元。"
    objection_address: "岳阳市（演示）" objection_phone: "0730-0000000")");
  *facts.mutable_lines(0)->mutable_standing() = Submitted();
  return facts;
}

v1::NoticePeriodFacts GoodPeriod() {
  v1::NoticePeriodFacts facts;
  facts.set_list_digest("list");
  const policy::v1::Policy policy = Yueyang();
  for (const auto& site : policy.notice().sites()) {
    v1::PostingFacts* posting = facts.add_postings();
    posting->set_site(site.code());
    posting->set_list_digest("list");
    *posting->mutable_live_on() = Date("2025-09-24");
  }
  return facts;
}

v1::PaymentFacts GoodPayment() {
  auto facts = Parse<v1::PaymentFacts>(R"(
    qualified: true resolution: RESOLUTION_AWARD resolved_amount_fen: 5000000 published_amount_fen: 5000000
    published_line_digest: "ab"
    statement { association_officer: "officer-a" talent_office_officer: "secretary-a"
                made_on { year: 2025 month: 10 day: 10 } }
    ordered: true order_amount_fen: 5000000 order_line_digest: "ab" reserved_amount_fen: 5000000
    prepared_by: "payment-a" authorized_by: "payment-b")");
  *facts.mutable_standing() = Submitted();
  *facts.mutable_period() = GoodPeriod();
  *facts.mutable_order_account() = facts.standing().host().account();
  *facts.mutable_submitted_account() = facts.standing().host().account();
  return facts;
}

v1::EvaluationFacts GoodEvaluation() {
  v1::EvaluationFacts facts;
  facts.set_level(common::v1::STATION_LEVEL_PROVINCIAL);
  facts.set_year(2025);
  facts.set_evaluated_by("officer-a");
  const policy::v1::Policy policy = Yueyang();
  for (const auto& dimension : policy.evaluation().dimensions()) {
    v1::ScoreFacts* score = facts.add_scores();
    score->set_code(dimension.code());
    score->set_score_hundredths(8500);
  }
  return facts;
}

}  // namespace yuezhan::rules::testing
