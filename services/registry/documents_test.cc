#include "common/documents/documents.h"

#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/registry/test_registry.h"

namespace yuezhan::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

absl::StatusOr<common::v1::PrintedDocument> Print(TestRegistry& registry, const std::string& name,
                                                  v1::DocumentKind kind) {
  v1::PrintDocumentRequest request;
  request.set_name(name);
  request.set_kind(kind);
  common::v1::PrintedDocument document;
  const absl::Status status =
      registry.Call(&Handlers::PrintDocument, "PrintDocument", request, &document);
  if (!status.ok()) return status;
  return document;
}

// What a scan is held against.
TEST(Documents, NumberAndDigestComeWithoutContentToo) {
  TestRegistry registry;
  v1::PrintDocumentRequest request;
  request.set_name(registry.File().name());
  request.set_kind(v1::DOCUMENT_KIND_FILING_FORM);
  common::v1::PrintedDocument whole, without;
  ASSERT_TRUE(registry.Call(&Handlers::PrintDocument, "PrintDocument", request, &whole).ok());
  request.set_without_content(true);
  ASSERT_TRUE(registry.Call(&Handlers::PrintDocument, "PrintDocument", request, &without).ok());
  EXPECT_FALSE(whole.content().empty());
  whole.clear_content();
  EXPECT_EQ(without.SerializeAsString(), whole.SerializeAsString());
}

// Rows in the order of Annex 2; all fourteen fields, those chosen ticked.
TEST(Documents, Annex2IsPrintedAsTheRegulationPrintsIt) {
  TestRegistry registry;
  v1::FileStationRequest request = registry.FileRequest();
  request.mutable_form()->set_purpose("服务<园区>\n第二段");
  const std::string name = registry.File(request).name();
  const auto form = Print(registry, name, v1::DOCUMENT_KIND_FILING_FORM);
  ASSERT_TRUE(form.ok()) << form.status();
  size_t at = 0;
  for (const std::string_view part :
       {"附件 2", "学会服务站备案登记表", "学会服务站基本情况", "学会服务站名称", "绿色化工服务站（演示）", "级别",
        "（国家级、省级）", "省级", "负责人", "负责人甲", "职务", "秘书长", "手机", "13800001234", "办公地址",
        "岳阳市云溪区演示路1号", "邮编", "414000", "联系人", "负责人甲", "职务", "秘书长", "手机",
        "13800001234", "建站时间", "2024年3月22日", "电子邮件", "station@example.org", "服务产业链业务领域",
        "☑ 石油化工及新材料", "☐ 食品加工", "☐ 电力能源", "☐ 现代物流", "☐ 电子信息及人工智能", "☐ 生物医药及应用",
        "☐ 电磁及磁力设备", "☐ 装配式建筑及建筑新材料", "☐ 纺织", "☐ 金属非金属新材料", "☐ 工程机械",
        "☐ 节能环保和石油化工装备", "☐ 文化旅游", "☐ 乡村振兴", "建站学会", "岳阳市化工学会", "建站目的",
        "<p>服务&lt;园区&gt;</p><p>第二段</p>", "建站主要工作内容", "<p>技术攻关与学术交流</p>"}) {
    const size_t found = form->content().find(part, at);
    ASSERT_NE(found, std::string::npos) << part << "\n" << form->content();
    at = found + part.size();
  }
  // Annex 2 has neither the host unit nor a seal.
  EXPECT_THAT(form->content(), Not(HasSubstr("建站单位")));
  EXPECT_THAT(form->content(), Not(HasSubstr("盖章")));
  EXPECT_THAT(form->content(), HasSubstr(form->digest()));
  // Accepting the filing changes nothing of the form: a scan sealed before still agrees.
  ASSERT_TRUE(registry.Accept(name).ok());
  EXPECT_EQ(Print(registry, name, v1::DOCUMENT_KIND_FILING_FORM)->digest(), form->digest());
}

TEST(Documents, AMunicipalFilingIsNeverPrintedAsAnnex2) {
  TestRegistry registry;
  v1::FileStationRequest request = registry.FileRequest();
  request.mutable_form()->set_level(common::v1::STATION_LEVEL_MUNICIPAL);
  const std::string name = registry.File(request).name();
  const absl::Status refused = Print(registry, name, v1::DOCUMENT_KIND_FILING_FORM).status();
  EXPECT_EQ(errors::Reason(refused), "INVALID_FIELD");
}

TEST(Documents, AReceiptIsOfAnAcceptedFilingANoticeOfAReturnedOne) {
  TestRegistry registry;
  const std::string name = registry.File().name();
  for (const auto kind :
       {v1::DOCUMENT_KIND_FILING_RECEIPT, v1::DOCUMENT_KIND_CORRECTION_NOTICE}) {
    EXPECT_EQ(errors::Reason(Print(registry, name, kind).status()), "STATE_FORBIDS");
  }
  v1::ReturnFilingRequest back;
  back.set_request_id(NewUuid());
  back.set_name(name);
  back.add_points("补充<批复>");
  back.add_points("更正电话");
  v1::Station station;
  ASSERT_TRUE(registry.Call(&Handlers::ReturnFiling, "ReturnFiling", back, &station).ok());
  const auto notice = Print(registry, name, v1::DOCUMENT_KIND_CORRECTION_NOTICE);
  ASSERT_TRUE(notice.ok()) << notice.status();
  EXPECT_THAT(notice->content(),
              HasSubstr("<p>1. 补充&lt;批复&gt;</p>\n<p>2. 更正电话</p>"));
  EXPECT_THAT(notice->content(), HasSubstr(FormatDayZh(registry.today())));

  const std::string other = registry.File().name();
  const auto accepted = registry.Accept(other);
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  const auto receipt = Print(registry, other, v1::DOCUMENT_KIND_FILING_RECEIPT);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(receipt->number(), accepted->filing_number());
  EXPECT_THAT(receipt->content(), HasSubstr("备案编号：" + accepted->filing_number()));
  EXPECT_THAT(receipt->content(), HasSubstr("服务产业链：石油化工及新材料</p>"));
}

}  // namespace
}  // namespace yuezhan::registry
