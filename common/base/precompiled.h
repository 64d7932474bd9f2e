// Headers that most files read, parsed once for all of them: two thirds of a file's compile time are its headers.
// A file still includes what it uses; this is no license to leave that out.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/type/money.pb.h"
#include "yuezhan/rules/v1/facts.pb.h"
