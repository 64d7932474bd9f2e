#ifndef YUEZHAN_SERVICES_REVIEW_SCHEMA_H_
#define YUEZHAN_SERVICES_REVIEW_SCHEMA_H_

#include <vector>

#include "common/db/migrate.h"
#include "common/files/schema.h"

namespace yuezhan::embedded {
extern const char kReview0002[];
}

namespace yuezhan::review {

// Migrations from 2 on; files in schema/.
inline std::vector<db::Migration> Schema() {
  return {{2, "review", embedded::kReview0002}, files::FilesMigration(3)};
}

}  // namespace yuezhan::review

#endif  // YUEZHAN_SERVICES_REVIEW_SCHEMA_H_
