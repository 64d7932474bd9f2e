#ifndef YUEZHAN_COMMON_HOST_SEALED_MESSAGE_H_
#define YUEZHAN_COMMON_HOST_SEALED_MESSAGE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/errors/errors.h"
#include "common/journal/vault.h"

namespace yuezhan {

// A resource as its row keeps it: what is searched, counted or checked by others stands in columns
// of its own, the whole message in two more, encrypted, because forms hold telephone and account
// numbers. `place` is table and id of the row.
template <typename Message>
journal::Sealed SealMessage(const journal::Vault& vault, std::string_view place,
                            const Message& message) {
  return vault.Seal(place, message.SerializeAsString());
}

template <typename Message>
absl::StatusOr<Message> OpenMessage(const journal::Vault& vault, std::string_view place,
                                    const std::string& bytes, const std::string& wrapped_key) {
  auto plain = vault.Open(place, {bytes, wrapped_key});
  if (!plain.ok()) return plain.status();
  Message message;
  if (!message.ParseFromString(*plain)) return errors::DataLoss(place);
  return message;
}

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_HOST_SEALED_MESSAGE_H_
