#ifndef YUEZHAN_COMMON_AUTH_PERMISSIONS_H_
#define YUEZHAN_COMMON_AUTH_PERMISSIONS_H_

#include <optional>
#include <string_view>

#include "absl/types/span.h"
#include "common/auth/peers.h"
#include "common/base/caller.h"

// Who may call what: one table, in permissions.cc, denied by default. A server does not start with
// a method that has no row. Ownership and separation of duties are not here: they are checked where
// the data is, in the transaction.
namespace yuezhan::auth {

struct Permission {
  std::string_view method;  // "yuezhan.registry.v1.RegistryService/AcceptFiling"
  RoleSet roles;            // who may call it
  RoleSet clear_roles;      // who of them reads personal values unmasked; default: nobody
  PeerSet peers = {};       // which of our services may call it, by name; default: none

  // Whether the row lets the caller call. Role::kService alone opens nothing: the service must be
  // one of `peers`.
  bool Admits(const Caller& caller) const;
};

// All rows.
absl::Span<const Permission> Permissions();

// The row of a method, or null. The server looks each up once, at start.
const Permission* FindPermission(std::string_view method);

// A role's word in tokens and documents: "filing_officer".
std::string_view RoleName(Role role);
std::optional<Role> RoleFromName(std::string_view name);

}  // namespace yuezhan::auth

#endif  // YUEZHAN_COMMON_AUTH_PERMISSIONS_H_
