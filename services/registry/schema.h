#ifndef YUEZHAN_SERVICES_REGISTRY_SCHEMA_H_
#define YUEZHAN_SERVICES_REGISTRY_SCHEMA_H_

#include <vector>

#include "common/db/migrate.h"
#include "common/files/schema.h"

namespace yuezhan::embedded {
extern const char kRegistry0002[];
}

namespace yuezhan::registry {

// Migrations from 2 on; files in schema/.
inline std::vector<db::Migration> Schema() {
  return {{2, "registry", embedded::kRegistry0002}, files::FilesMigration(3)};
}

}  // namespace yuezhan::registry

#endif  // YUEZHAN_SERVICES_REGISTRY_SCHEMA_H_
