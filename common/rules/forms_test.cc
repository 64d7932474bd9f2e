#include <random>

#include "common/rules/amount_words.h"
#include "common/rules/contact_details.h"
#include "gtest/gtest.h"

namespace yuezhan::rules {
namespace {

TEST(AmountWords, AsWritten) {
  const struct {
    int64_t fen;
    const char* words;
  } cases[] = {
      {0, "零元整"},
      {1, "壹分"},
      {10, "壹角"},
      {99, "玖角玖分"},
      {100, "壹元整"},
      {105, "壹元零伍分"},
      {10'000'000, "壹拾万元整"},
      {5'000'000, "伍万元整"},
      {140'950, "壹仟肆佰零玖元伍角"},
      {1'640'902, "壹万陆仟肆佰零玖元零贰分"},
      {600'714, "陆仟零柒元壹角肆分"},
      {32'504, "叁佰贰拾伍元零肆分"},
      {1'000'000'000'000, "壹佰亿元整"},
      {10'000'000'100, "壹亿零壹元整"},
      {10'500'000'000, "壹亿零伍佰万元整"},
      {kMaxWordsFen, "玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"},
      {1'001, "壹拾元零壹分"},
      {1'000'000, "壹万元整"},
      {1'000'000'00 + 1'000, "壹佰万零壹拾元整"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(AmountWords(c.fen), c.words) << c.fen;
    EXPECT_EQ(FenOfWords(c.words), c.fen) << c.words;
  }
  EXPECT_EQ(AmountWords(-1), "");
  EXPECT_EQ(AmountWords(kMaxWordsFen + 1), "");
  EXPECT_EQ(AmountWordsBeforeYuan(10'000'000), "壹拾万");
  EXPECT_EQ(AmountWordsBeforeYuan(10'000'001), "");
}

TEST(AmountWords, EveryCorrectSpellingIsRead) {
  const struct {
    const char* words;
    int64_t fen;
  } cases[] = {
      {"人民币壹拾万元整", 10'000'000},
      {"壹拾万元正", 10'000'000},
      {"壹拾萬圓整", 10'000'000},
      {"壹拾万圆整", 10'000'000},
      {"壹拾万", 10'000'000},
      {"伍万", 5'000'000},
      {"壹拾万柒仟元零伍角叁分", 10'700'053},
      {"壹拾万零柒仟元伍角叁分", 10'700'053},
      {"壹仟陆佰捌拾元零叁角贰分", 168'032},
      {"壹仟陆佰捌拾元叁角贰分", 168'032},
      {"壹仟肆佰零玖元伍角整", 140'950},
      {"貳佰陸拾億元整", 2'600'000'000'000},
  };
  for (const auto& c : cases) EXPECT_EQ(FenOfWords(c.words), c.fen) << c.words;
}

TEST(AmountWords, AWrongSpellingIsRefused) {
  for (const char* wrong : {"",
                            "元整",
                            "拾万元整",
                            "一十万元整",
                            "壹拾万元",
                            "壹拾万元整整",
                            "壹拾万元元整",
                            "壹仟肆佰玖元伍角",
                            "壹拾零万元整",
                            "壹万陆仟肆佰零玖元贰分",
                            "伍角叁分整",
                            "壹拾万零元整",
                            "壹零拾元整",
                            "壹仟零零玖元整",
                            "壹拾万元整人民币",
                            "100000",
                            "壹拾萬園整",
                            "壹佰拾元整",
                            "零壹元整",
                            "壹元零伍角",
                            "壹万万元整",
                            "十万元整",
                            "壹拾万元零整",
                            "壹拾\xE4",
                            "角",
                            "零"}) {
    if (std::string_view(wrong) == "零") {
      EXPECT_EQ(FenOfWords(wrong), 0);  // As Annex 1 prints it: 零元.
    } else {
      EXPECT_FALSE(FenOfWords(wrong)) << wrong << " reads " << FenOfWords(wrong).value_or(-1);
    }
  }
}

TEST(AmountWordsProperty, WordsAndFenAreInverse) {
  std::mt19937_64 random(1409'50);
  for (int i = 0; i < 200'000; ++i) {
    // Every magnitude, and numbers with many zeros, where the rules are.
    int64_t fen = static_cast<int64_t>(random() % (kMaxWordsFen + 1));
    for (uint64_t cut = random() % 15; cut > 0; --cut) fen /= 10;
    if (i % 2 == 0) {
      int64_t sparse = 0;
      for (int64_t digit = 1; digit <= fen; digit *= 10)
        sparse += random() % 3 == 0 ? fen / digit % 10 * digit : 0;
      fen = sparse;
    }
    const std::string words = AmountWords(fen);
    ASSERT_EQ(FenOfWords(words), fen) << words;
    if (fen % 100 == 0) {
      ASSERT_EQ(FenOfWords(AmountWordsBeforeYuan(fen)), fen) << words;
    }
    // No spelling of this amount is one of its neighbour.
    ASSERT_NE(AmountWords(fen + 1 <= kMaxWordsFen ? fen + 1 : fen - 1), words);
  }
}

TEST(CreditCode, KnownOnes) {
  for (const char* good : {"91350100M000100Y43", "91420000737944946L", "91110000600037341L",
                           "12430600446280019R", "51430600501234569L"}) {
    EXPECT_TRUE(IsCreditCode(good)) << good;
  }
  for (const char* bad :
       {"91330110MA27XX1X0Q", "", "91350100M000100Y4", "91350100M000100Y433", "91350100m000100y43",
        "91350100M000100I43", "9135010AM000100Y43", "91350100M000100Y44"}) {
    EXPECT_FALSE(IsCreditCode(bad)) << bad;
  }
  EXPECT_TRUE(IsCreditCodeShape("91330110MA27XX1X0Q"));
  EXPECT_FALSE(IsCreditCodeShape("91330110MA27XX1XOQ"));
}

// A random code with both check characters right, found by trying them all.
std::string RandomCode(std::mt19937& random) {
  constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
  while (true) {
    std::string code = "91";
    for (int i = 0; i < 6; ++i) code += kAlphabet[random() % 10];
    for (int i = 0; i < 8; ++i) code += kAlphabet[random() % kAlphabet.size()];
    code += "00";
    for (char organisation : std::string_view("0123456789X")) {
      code[16] = organisation;
      for (char last : kAlphabet) {
        code[17] = last;
        if (IsCreditCode(code)) return code;
      }
    }
  }
}

TEST(CreditCodeProperty, AnyChangeOrSwapIsRefused) {
  constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
  std::mt19937 random(32100);
  int changed = 0, swapped = 0;
  for (int i = 0; i < 400; ++i) {
    const std::string code = RandomCode(random);
    for (size_t at = 0; at < code.size(); ++at) {
      for (char other : kAlphabet) {
        if (other == code[at]) continue;
        std::string wrong = code;
        wrong[at] = other;
        ASSERT_FALSE(IsCreditCode(wrong)) << code << " " << wrong;
        ++changed;
      }
    }
  }
  while (swapped < 100'000) {
    const std::string code = RandomCode(random);
    for (size_t at = 0; at + 1 < code.size(); ++at) {
      if (code[at] == code[at + 1]) continue;
      std::string wrong = code;
      std::swap(wrong[at], wrong[at + 1]);
      ASSERT_FALSE(IsCreditCode(wrong)) << code << " " << wrong;
      ++swapped;
    }
  }
  EXPECT_GE(changed, 100'000);
}

TEST(ContactDetails, EachKind) {
  const struct {
    bool (*is)(std::string_view);
    const char* text;
    bool expected;
  } cases[] = {
      {IsMobile, "13800000000", true},
      {IsMobile, "12800000000", false},
      {IsMobile, "1380000000", false},
      {IsMobile, "138000000000", false},
      {IsMobile, "1380000000a", false},
      {IsMobile, "", false},
      {IsLandline, "0730-0000000", true},
      {IsLandline, "07300000000", true},
      {IsLandline, "010-12345678", true},
      {IsLandline, "0730-1234567-8001", true},
      {IsLandline, "730-1234567", false},
      {IsLandline, "0730-123456", false},
      {IsLandline, "0730-1234567-", false},
      {IsLandline, "0730-123456789", false},
      {IsLandline, "0", false},
      {IsLandline, "0730--1234567", false},
      {IsPhone, "13800000000", true},
      {IsPhone, "0730-1234567", true},
      {IsPostcode, "414000", true},
      {IsPostcode, "000000", false},
      {IsPostcode, "41400", false},
      {IsPostcode, "41400O", false},
      {IsEmail, "a@b.cn", true},
      {IsEmail, "a.b+c@x-y.example.com", true},
      {IsEmail, "a@b", false},
      {IsEmail, "@b.cn", false},
      {IsEmail, "a@", false},
      {IsEmail, "a b@c.cn", false},
      {IsEmail, "a..b@c.cn", false},
      {IsEmail, ".a@c.cn", false},
      {IsEmail, "a@-c.cn", false},
      {IsEmail, "a@c.c", false},
      {IsEmail, "a@.cn", false},
      {IsEmail, "a@b@c.cn", false},
      {IsEmail, "站@例.cn", false},
      {IsEmail, "a@1.22", false},
      {IsAccountNumber, "1907 0101 0920", true},
      {IsAccountNumber, "1907-0101-0920-0012", true},
      {IsAccountNumber, "1234567", false},
      {IsAccountNumber, "", false},
      {IsAccountNumber, " 12345678", false},
      {IsAccountNumber, "12345678a", false},
      {IsAccountNumber, "123456789012345678901234567890123", false},
  };
  for (const auto& c : cases) EXPECT_EQ(c.is(c.text), c.expected) << c.text;
  EXPECT_EQ(Masked("13812341234"), "138****1234");
  EXPECT_EQ(Masked("1907010109200012345"), "****2345");
  EXPECT_EQ(Masked("1234"), "****");
  EXPECT_EQ(Masked("某某某某某"), "****");
}

}  // namespace
}  // namespace yuezhan::rules
