#ifndef YUEZHAN_COMMON_AUTH_PEERS_H_
#define YUEZHAN_COMMON_AUTH_PEERS_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace yuezhan::auth {

// The services that call one another. A certificate of any other name speaks for nobody.
enum class Peer : uint8_t { kRegistry, kApplication, kReview, kPayment };

// "review" → kReview.
std::optional<Peer> PeerFromName(std::string_view name);
// Of a caller's subject: "service:review" → kReview.
std::optional<Peer> PeerFromSubject(std::string_view subject);

// A set of them, one bit each.
struct PeerSet {
  uint32_t bits = 0;
  constexpr PeerSet() = default;
  constexpr PeerSet(std::initializer_list<Peer> peers) {
    for (Peer peer : peers) bits |= 1u << static_cast<int>(peer);
  }
  constexpr bool Has(Peer peer) const { return bits >> static_cast<int>(peer) & 1; }
};

}  // namespace yuezhan::auth

#endif  // YUEZHAN_COMMON_AUTH_PEERS_H_
