#ifndef YUEZHAN_SERVICES_APPLICATION_SCHEMA_H_
#define YUEZHAN_SERVICES_APPLICATION_SCHEMA_H_

#include <vector>

#include "common/db/migrate.h"
#include "common/files/schema.h"

namespace yuezhan::embedded {
extern const char kApplication0002[];
}

namespace yuezhan::application {

// Migrations from 2 on; files in schema/.
inline std::vector<db::Migration> Schema() {
  return {{2, "application", embedded::kApplication0002}, files::FilesMigration(3)};
}

}  // namespace yuezhan::application

#endif  // YUEZHAN_SERVICES_APPLICATION_SCHEMA_H_
