#ifndef YUEZHAN_SERVICES_REVIEW_NOTICE_TEXT_H_
#define YUEZHAN_SERVICES_REVIEW_NOTICE_TEXT_H_

#include <string>

#include "common/host/rulebook.h"
#include "common/rules/notice.h"
#include "yuezhan/review/v1/review.pb.h"

namespace yuezhan::review {

// The text of a public notice as the sites show it (article 5.3): basis, process, list with total,
// period, how, where and until when to object, both offices. Plain text, one list line a row, its
// columns separated by tabs. Says nothing personal. `planned`: the period if every site shows it
// today; the text says how it is counted if one comes later.
std::string NoticeText(const Rules& rules, const v1::Notice& notice,
                       const rules::NoticePeriod& planned);

}  // namespace yuezhan::review

#endif  // YUEZHAN_SERVICES_REVIEW_NOTICE_TEXT_H_
