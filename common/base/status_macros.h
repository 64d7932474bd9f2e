#ifndef YUEZHAN_COMMON_BASE_STATUS_MACROS_H_
#define YUEZHAN_COMMON_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Leaves the function with the status of `expr` when it is not OK.
#define YZ_RETURN_IF_ERROR(expr)                                             \
  if (absl::Status yz_status_ = (expr); yz_status_.ok()) {                   \
  } else /* NOLINT */                                                        \
    return yz_status_

// The same of a StatusOr, whose value goes into `lhs`, a variable or its declaration.
#define YZ_ASSIGN_OR_RETURN(lhs, expr) YZ_ASSIGN_OR_RETURN_(YZ_CONCAT_(yz_or_, __LINE__), lhs, expr)
#define YZ_ASSIGN_OR_RETURN_(result, lhs, expr)    \
  auto result = (expr);                            \
  if (!result.ok()) return std::move(result).status(); \
  lhs = *std::move(result)
#define YZ_CONCAT_(a, b) YZ_CONCAT_IMPL_(a, b)
#define YZ_CONCAT_IMPL_(a, b) a##b

#endif  // YUEZHAN_COMMON_BASE_STATUS_MACROS_H_
