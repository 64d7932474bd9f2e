#ifndef YUEZHAN_COMMON_FILES_SCHEMA_H_
#define YUEZHAN_COMMON_FILES_SCHEMA_H_

#include "common/db/migrate.h"

namespace yuezhan::embedded {
extern const char kFiles[];
}

namespace yuezhan::files {

// The tables of files, as that migration of the service that keeps them.
inline db::Migration FilesMigration(int version) { return {version, "files", embedded::kFiles}; }

}  // namespace yuezhan::files

#endif  // YUEZHAN_COMMON_FILES_SCHEMA_H_
