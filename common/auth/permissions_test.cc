#include "common/auth/permissions.h"

#include <algorithm>
#include <set>
#include <string>

#include "gtest/gtest.h"

namespace yuezhan::auth {
namespace {

TEST(Permissions, EveryRowStandsOnceAndGrantsSomething) {
  std::set<std::string_view> methods;
  for (const Permission& row : Permissions()) {
    SCOPED_TRACE(std::string(row.method));
    EXPECT_TRUE(methods.insert(row.method).second) << "twice in the table";
    EXPECT_TRUE(row.method.starts_with("yuezhan."));
    EXPECT_EQ(std::count(row.method.begin(), row.method.end(), '/'), 1);
    EXPECT_NE(row.roles.bits | row.peers.bits, 0u);
    EXPECT_FALSE(row.roles.Has(Role::kService)) << "name the services in the row's peers";
    EXPECT_EQ(FindPermission(row.method), &row);
  }
  EXPECT_EQ(FindPermission("yuezhan.registry.v1.RegistryService/Nothing"), nullptr);
}

TEST(Permissions, ServicesCallWhatNamesThem) {
  const Permission& row =
      *FindPermission("yuezhan.application.v1.ApplicationService/GetSubmission");
  const auto service = [](std::string subject) {
    return Caller{std::move(subject), "x", {Role::kService}, ""};
  };
  EXPECT_TRUE(row.Admits(service("service:payment")));
  for (const char* other : {"service:registry", "service:bank", "payment", "service:", ""}) {
    EXPECT_FALSE(row.Admits(service(other))) << other;
  }
  // The name without the role is a person's.
  EXPECT_FALSE(row.Admits({"service:payment", "x", {}, ""}));
  EXPECT_TRUE(row.Admits({"a", "x", {Role::kAuditor}, ""}));
  EXPECT_FALSE(row.Admits({"a", "x", {Role::kPublic}, ""}));
  EXPECT_FALSE(FindPermission("yuezhan.journal.v1.JournalService/SkipEntry")
                   ->Admits(service("service:payment")));
}

TEST(Permissions, RolesHaveOneNameEach) {
  std::set<std::string_view> names;
  for (int i = 0; i < kRoleCount; ++i) {
    const Role role = static_cast<Role>(i);
    EXPECT_TRUE(names.insert(RoleName(role)).second);
    EXPECT_EQ(RoleFromName(RoleName(role)), role);
  }
  EXPECT_EQ(RoleFromName("root"), std::nullopt);
  EXPECT_EQ(RoleName(Role::kService), "service");
}

}  // namespace
}  // namespace yuezhan::auth
