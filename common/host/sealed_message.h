#ifndef YUEZHAN_COMMON_HOST_SEALED_MESSAGE_H_
#define YUEZHAN_COMMON_HOST_SEALED_MESSAGE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/errors/errors.h"
#include "common/journal/vault.h"
#include "google/protobuf/message.h"

namespace yuezhan {

// A resource as its row keeps it: what is searched, counted or checked by others stands in columns
// of its own, the whole message in two more, encrypted, because forms hold telephone and account
// numbers. `place` is table and id of the row.
template <typename Message>
journal::Sealed SealMessage(const journal::Vault& vault, std::string_view place,
                            const Message& message) {
  return vault.Seal(place, message.SerializeAsString());
}

// Fields of a message, by number, that its reader only hands on; `within`: such fields of a message
// that it holds once.
struct Aside {
  std::vector<int> fields;
  std::vector<std::pair<int, std::vector<int>>> within = {};
};

// Parses `bytes`, but leaves the fields `aside` as they came, among the message's unknown fields:
// whoever is sent the message gets them, the code that holds it sees none, and nobody makes objects
// of them. They must be messages or strings. Masks reach them (common/rpc/mask.h). False: not such
// a message.
bool ParseMessage(std::string_view bytes, const Aside& aside, google::protobuf::Message* message);

// Adds to a field of messages one that is bytes already; it is sent as if it had been parsed. No
// message of that field may be added as an object beside: those would go ahead.
void HandOn(int field, std::string bytes, google::protobuf::Message* message);

template <typename Message>
absl::StatusOr<Message> OpenMessage(const journal::Vault& vault, std::string_view place,
                                    const std::string& bytes, const std::string& wrapped_key,
                                    const Aside& aside = {}) {
  auto plain = vault.Open(place, {bytes, wrapped_key});
  if (!plain.ok()) return plain.status();
  Message message;
  if (!ParseMessage(*plain, aside, &message)) return errors::DataLoss(place);
  return message;
}

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_HOST_SEALED_MESSAGE_H_
