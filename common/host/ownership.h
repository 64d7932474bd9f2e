#ifndef YUEZHAN_COMMON_HOST_OWNERSHIP_H_
#define YUEZHAN_COMMON_HOST_OWNERSHIP_H_

#include <string_view>

#include "common/base/caller.h"

namespace yuezhan {

// Roles of the offices and of the system: who holds one of them sees what belongs to any host unit,
// where the permission table lets it call the method at all.
inline constexpr RoleSet kOffices{
    Role::kFilingOfficer, Role::kReviewer,       Role::kSecretary,
    Role::kDirector,      Role::kPaymentOfficer, Role::kPaymentAuthorizer,
    Role::kAuditor,       Role::kOperator,       Role::kService};

inline bool SeesAllHosts(const Caller& caller) { return caller.roles.Intersects(kOffices); }

// Whether the caller may see what belongs to `host_unit`: a host unit sees its own. A person with
// several roles is still one person: who holds an office sees all, whatever else the token says.
// What one may not see is answered like what does not exist (errors::NotFound).
inline bool MaySee(const Caller& caller, std::string_view host_unit) {
  return SeesAllHosts(caller) || (!caller.host_unit.empty() && caller.host_unit == host_unit);
}

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_HOST_OWNERSHIP_H_
