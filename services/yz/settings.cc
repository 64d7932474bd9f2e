#include "services/yz/settings.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/auth/permissions.h"
#include "common/base/status_macros.h"

ABSL_FLAG(std::string, profile, "var/yz.json",
          "Profile of the installation, as `yz up` writes it. 安装配置文件。");
ABSL_FLAG(std::string, state, "var",
          "Folder of keys, logs, clock and the bank's books. 状态目录。");
ABSL_FLAG(std::string, mysql, "",
          "An administrator of the database, mysql://user:password@host:port. 数据库管理员地址。");
ABSL_FLAG(std::string, schema_prefix, "",
          "Schemas are yuezhan_<prefix><service>; at most 10 of [a-z0-9_]. 库名前缀。");
ABSL_FLAG(bool, tls, true, "TLS by a private authority; --notls: without. 是否使用TLS。");
ABSL_FLAG(bool, demo, false, "Drive the demonstration once all serve. 启动后运行演示。");
ABSL_FLAG(bool, once, false, "With --demo: end after it. 演示后即退出。");
ABSL_FLAG(std::string, as, "",
          "Roles of the caller, separated by commas (see `yz token --help`). 调用者角色。");
ABSL_FLAG(std::string, columns, "",
          "Columns of the table, separated by commas: name,form.subsidy_year. Empty: all. 输出的列。");
ABSL_FLAG(std::string, subject, "", "Stable id of the caller; empty: yz-ROLE. 调用者标识。");
ABSL_FLAG(std::string, display_name, "", "Name of the caller as printed. 调用者姓名。");
ABSL_FLAG(std::string, host_unit, "",
          "\"hostUnits/…\" that the caller acts for. 调用者代表的建站单位。");
ABSL_FLAG(int, hours, 12, "How long a token is good, 1 to 720 hours. 令牌有效小时数。");
ABSL_FLAG(std::string, at, "",
          "Service to ask, where every service offers the method (journal). 所询问的服务。");
ABSL_FLAG(std::string, reason, "", "Why, on record. 事由（入册）。");
ABSL_FLAG(bool, write, false,
          "Write the rows that pass; else check only. 写入通过的行，否则仅检查。");

namespace yuezhan::yz {

absl::StatusOr<Profile> ProfileFromFlags() {
  absl::StatusOr<Profile> profile = ReadProfile(absl::GetFlag(FLAGS_profile));
  if (profile.status().code() == absl::StatusCode::kNotFound) {
    return absl::NotFoundError(absl::StrCat(profile.status().message(),
                                            ": start ./run or `yz up`, or name another --profile"));
  }
  return profile;
}

absl::StatusOr<Caller> CallerFromFlags(const std::string& default_roles) {
  Caller caller;
  const std::string given = absl::GetFlag(FLAGS_as);
  const std::string roles = given.empty() ? default_roles : given;
  const std::vector<std::string> role_words = absl::StrSplit(roles, ',', absl::SkipEmpty());
  for (const std::string& word : role_words) {
    const std::optional<Role> role = auth::RoleFromName(word);
    if (!role.has_value()) {
      std::vector<std::string> words;
      for (int i = 0; i < kRoleCount; ++i) {
        words.emplace_back(auth::RoleName(static_cast<Role>(i)));
      }
      return absl::InvalidArgumentError(
          absl::StrCat("there is no role \"", word, "\"; roles are ", absl::StrJoin(words, ", ")));
    }
    caller.roles.Add(*role);
  }
  caller.subject = absl::GetFlag(FLAGS_subject);
  if (caller.subject.empty()) caller.subject = absl::StrCat("yz-", roles);
  caller.name = absl::GetFlag(FLAGS_display_name);
  if (caller.name.empty()) caller.name = caller.subject;
  caller.host_unit = absl::GetFlag(FLAGS_host_unit);
  return caller;
}

}  // namespace yuezhan::yz
