#include "services/bank_simulator/books.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace yuezhan::bank {
namespace {

Entry EntryOf(const std::string& id, v1::TransferState state) {
  Entry entry;
  entry.order.set_transfer_id(id);
  entry.order.set_purpose("建站\t资助\n");
  entry.transfer.set_transfer_id(id);
  entry.transfer.set_state(state);
  entry.looks = 3;
  return entry;
}

class BooksTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove(path_); }
  void TearDown() override { std::filesystem::remove(path_); }
  std::unique_ptr<Books> Open() {
    auto books = Books::Open(path_);
    EXPECT_TRUE(books.ok()) << books.status();
    return *std::move(books);
  }
  const std::string path_ = testing::TempDir() + "/" +
                            testing::UnitTest::GetInstance()->current_test_info()->name() +
                            std::to_string(getpid());
};

TEST_F(BooksTest, KeepsEntriesInTheirOrderOverARestart) {
  {
    auto books = Open();
    ASSERT_TRUE(books->Write(EntryOf("a", v1::TRANSFER_STATE_ACCEPTED)).ok());
    ASSERT_TRUE(books->Write(EntryOf("b", v1::TRANSFER_STATE_FAILED)).ok());
    ASSERT_TRUE(books->Write(EntryOf("a", v1::TRANSFER_STATE_SETTLED)).ok());
  }
  auto books = Open();
  ASSERT_EQ(books->entries().size(), 2u);
  EXPECT_EQ(books->entries()[0]->transfer.state(), v1::TRANSFER_STATE_SETTLED);
  EXPECT_EQ(books->entries()[0]->order.purpose(), "建站\t资助\n");
  EXPECT_EQ(books->entries()[0]->looks, 3);
  EXPECT_EQ(books->Find("b")->transfer.state(), v1::TRANSFER_STATE_FAILED);
  EXPECT_EQ(books->Find("c"), nullptr);
}

TEST_F(BooksTest, DropsALineThatWasCutOffAndWritesOverIt) {
  ASSERT_TRUE(Open()->Write(EntryOf("a", v1::TRANSFER_STATE_SETTLED)).ok());
  std::ofstream(path_, std::ios::app) << "0\t0\t{\"transferId\":\"b\"";
  {
    auto books = Open();
    EXPECT_EQ(books->entries().size(), 1u);
    ASSERT_TRUE(books->Write(EntryOf("c", v1::TRANSFER_STATE_SETTLED)).ok());
  }
  auto books = Open();
  EXPECT_EQ(books->entries().size(), 2u);
  EXPECT_NE(books->Find("c"), nullptr);
}

TEST_F(BooksTest, RefusesAFileThatIsNotItsOwn) {
  std::ofstream(path_) << "something else\n";
  EXPECT_EQ(Books::Open(path_).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace yuezhan::bank
