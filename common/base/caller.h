#ifndef YUEZHAN_COMMON_BASE_CALLER_H_
#define YUEZHAN_COMMON_BASE_CALLER_H_

#include <cstdint>
#include <initializer_list>
#include <string>

namespace yuezhan {

// Roles as the tokens name them (RoleName in common/auth/permissions.h gives the words).
enum class Role : uint8_t {
  kPublic,              // reads published notices, files objections
  kHostUnit,            // sees and does its own
  kFilingOfficer,       // association: files stations, keeps the registry
  kReviewer,            // association: assesses, opines, inspects, examines objections
  kSecretary,           // talent office: meetings, notices
  kDirector,            // talent office: decides in the meeting, authorizes
  kPaymentOfficer,      // prepares orders, keeps the fund
  kPaymentAuthorizer,   // authorizes orders
  kAuditor,             // reads everything, changes nothing
  kOperator,            // runs the system
  kService,             // another of the four services
};
inline constexpr int kRoleCount = 11;

// A set of roles, one bit each.
struct RoleSet {
  uint32_t bits = 0;
  constexpr RoleSet() = default;
  constexpr RoleSet(std::initializer_list<Role> roles) {
    for (Role role : roles) bits |= 1u << static_cast<int>(role);
  }
  constexpr bool Has(Role role) const { return bits >> static_cast<int>(role) & 1; }
  constexpr bool Intersects(RoleSet other) const { return (bits & other.bits) != 0; }
  constexpr void Add(Role role) { bits |= 1u << static_cast<int>(role); }
};

// Who calls: a person or a system with a verified token, or a service with its certificate.
struct Caller {
  std::string subject;    // stable id, for example "officer-zhang"; separation of duties is by this
  std::string name;       // as printed, for example "审核员甲"
  RoleSet roles;
  std::string host_unit;  // resource name "hostUnits/…" where the caller acts for one
};

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_BASE_CALLER_H_
