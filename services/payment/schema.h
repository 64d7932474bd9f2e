#ifndef YUEZHAN_SERVICES_PAYMENT_SCHEMA_H_
#define YUEZHAN_SERVICES_PAYMENT_SCHEMA_H_

#include <vector>

#include "common/db/migrate.h"

namespace yuezhan::embedded {
extern const char kPayment0002[];
}

namespace yuezhan::payment {

// Migrations from 2 on; files in schema/.
inline std::vector<db::Migration> Schema() { return {{2, "payment", embedded::kPayment0002}}; }

}  // namespace yuezhan::payment

#endif  // YUEZHAN_SERVICES_PAYMENT_SCHEMA_H_
