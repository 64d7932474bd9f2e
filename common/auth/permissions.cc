#include "common/auth/permissions.h"

#include <string>
#include <unordered_map>

namespace yuezhan::auth {
namespace {

// One line a role, in the order of the enum.
constexpr std::string_view kRoleNames[] = {
    "public",          "host_unit",          "filing_officer", "reviewer", "secretary", "director",
    "payment_officer", "payment_authorizer", "auditor",        "operator", "service",
};
static_assert(std::size(kRoleNames) == kRoleCount);

// Method, who may call it, who of them reads personal values unmasked. A service's rows stand
// together, in the order of its contract.
constexpr Permission kPermissions[] = {
    // journal: its feed, and what proves it
    {"yuezhan.journal.v1.JournalService/ReadEntries",
     {Role::kService, Role::kAuditor, Role::kOperator},
     {}},

    // bank: the payment service pays through it, an operator commands a simulated one
    {"yuezhan.bank.v1.BankService/ExecuteTransfer", {Role::kService}, {Role::kService}},
    {"yuezhan.bank.v1.BankService/GetTransfer",
     {Role::kService, Role::kAuditor, Role::kOperator},
     {Role::kService}},
    {"yuezhan.bank.v1.BankService/ListTransfers",
     {Role::kService, Role::kAuditor, Role::kOperator},
     {Role::kService}},
    {"yuezhan.bank.v1.SimulatorService/SetBehavior", {Role::kOperator}, {}},
};

}  // namespace

absl::Span<const Permission> Permissions() { return kPermissions; }

const Permission* FindPermission(std::string_view method) {
  static const auto* const kByMethod = [] {
    auto* rows = new std::unordered_map<std::string_view, const Permission*>();
    for (const Permission& row : kPermissions) rows->emplace(row.method, &row);
    return rows;
  }();
  const auto row = kByMethod->find(method);
  return row == kByMethod->end() ? nullptr : row->second;
}

std::string_view RoleName(Role role) { return kRoleNames[static_cast<int>(role)]; }

std::optional<Role> RoleFromName(std::string_view name) {
  for (int i = 0; i < kRoleCount; ++i) {
    if (kRoleNames[i] == name) return static_cast<Role>(i);
  }
  return std::nullopt;
}

}  // namespace yuezhan::auth
