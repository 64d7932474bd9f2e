#include "services/yz/demo/scenario.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "common/auth/permissions.h"
#include "common/base/dates.h"
#include "common/base/status_macros.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace yuezhan::embedded {
extern const char kDemoCity[];
extern const char kDemoStations[];
}  // namespace yuezhan::embedded

namespace yuezhan::yz {
namespace {

using google::protobuf::Message;
using google::protobuf::Value;
using Fields = google::protobuf::Map<std::string, Value>;

// Reads values by their path, and keeps the first mistake.
class Reader {
 public:
  const Value& At(const Fields& fields, const std::string& key) {
    static const auto* const kNothing = new Value;
    const auto it = fields.find(key);
    if (it != fields.end()) return it->second;
    Fail(absl::StrCat(key, " is missing"));
    return *kNothing;
  }
  std::string Text(const Fields& fields, const std::string& key) {
    return At(fields, key).string_value();
  }
  void Read(const Value& value, Message* message) {
    std::string json;
    (void)google::protobuf::util::MessageToJsonString(value, &json);
    const auto read = google::protobuf::util::JsonStringToMessage(json, message);
    if (!read.ok()) {
      Fail(absl::StrCat(message->GetTypeName(), ": ", std::string(read.message().ToString()),
                        " in ", json.substr(0, 200)));
    }
  }
  void Read(const Fields& fields, const std::string& key, Message* message) {
    Read(At(fields, key), message);
  }
  void Fail(const std::string& what) {
    status_.Update(absl::InvalidArgumentError(absl::StrCat("demonstration: ", what)));
  }
  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

struct StoryWord {
  const char* word;
  Story story;
};
constexpr StoryWord kStories[] = {
    {"award", Story::kAward},
    {"exception", Story::kException},
    {"municipal", Story::kMunicipal},
    {"too-early", Story::kTooEarly},
    {"objection-maintained", Story::kObjectionMaintained},
    {"objection-cancelled", Story::kObjectionCancelled},
};

Caller ReadPerson(Reader& reader, const Fields& fields) {
  Caller person;
  person.subject = reader.Text(fields, "subject");
  person.name = reader.Text(fields, "name");
  for (const Value& word : reader.At(fields, "roles").list_value().values()) {
    const std::optional<Role> role = auth::RoleFromName(word.string_value());
    if (role.has_value()) {
      person.roles.Add(*role);
    } else {
      reader.Fail(absl::StrCat("there is no role ", word.string_value()));
    }
  }
  return person;
}

DemoStation ReadStation(Reader& reader, const Value& every_form, const Fields& fields) {
  DemoStation station;
  station.key = reader.Text(fields, "key");
  const std::string word = reader.Text(fields, "story");
  bool known = false;
  for (const StoryWord& row : kStories) {
    if (word != row.word) continue;
    station.story = row.story;
    known = true;
  }
  if (!known) reader.Fail(absl::StrCat("there is no story ", word));
  reader.Read(fields, "host", &station.host);
  reader.Read(every_form, &station.form);
  registry::v1::FilingForm own;
  reader.Read(fields, "form", &own);
  station.form.MergeFrom(own);
  reader.Read(fields, "application", &station.application);
  for (const Value& value : reader.At(fields, "activities").list_value().values()) {
    reader.Read(value, &station.activities.emplace_back());
  }
  return station;
}

DemoObjection ReadObjection(Reader& reader, const Fields& fields) {
  DemoObjection objection;
  objection.station = reader.Text(fields, "station");
  reader.Read(fields, "objection", &objection.objection);
  objection.admission = reader.Text(fields, "admission");
  objection.report = reader.Text(fields, "report");
  objection.answer = reader.Text(fields, "answer");
  if (!review::v1::ObjectionResolution_Parse(reader.Text(fields, "resolution"),
                                             &objection.resolution)) {
    reader.Fail("an objection has no resolution");
  }
  return objection;
}

void ReadCity(Reader& reader, const Fields& city, Scenario* scenario) {
  for (const auto& [name, day] : reader.At(city, "days").struct_value().fields()) {
    if (!absl::ParseTime("%Y-%m-%dT%H:%M", day.string_value(), Beijing(), &scenario->days[name],
                         nullptr)) {
      reader.Fail(absl::StrCat("days.", name, " is no time"));
    }
  }
  for (const auto& [name, person] : reader.At(city, "persons").struct_value().fields()) {
    scenario->persons[name] = ReadPerson(reader, person.struct_value().fields());
  }
  const Fields& fund = reader.At(city, "fund").struct_value().fields();
  reader.Read(fund, "fund", &scenario->fund);
  reader.Read(fund, "amount", &scenario->fund_amount);
  scenario->fund_reason = reader.Text(fund, "reason");
  reader.Read(city, "assessment", &scenario->assessment);
  reader.Read(city, "meeting", &scenario->meeting);
  reader.Read(city, "secondMeeting", &scenario->second_meeting);
  const Fields& notice = reader.At(city, "notice").struct_value().fields();
  scenario->objection_address = reader.Text(notice, "objectionAddress");
  scenario->objection_phone = reader.Text(notice, "objectionPhone");
  for (const Value& site : reader.At(notice, "sites").list_value().values()) {
    reader.Read(site, &scenario->sites.emplace_back());
  }
  for (const Value& value : reader.At(city, "objections").list_value().values()) {
    scenario->objections.push_back(ReadObjection(reader, value.struct_value().fields()));
  }
}

}  // namespace

const DemoStation& Scenario::Station(const std::string& key) const {
  for (const DemoStation& station : stations) {
    if (station.key == key) return station;
  }
  std::abort();  // ParseScenario looked every key up
}

absl::StatusOr<Scenario> ParseScenario(std::string_view city, std::string_view stations) {
  google::protobuf::Struct city_json;
  google::protobuf::Struct stations_json;
  const auto parse = [](std::string_view text, Message* into) {
    return google::protobuf::util::JsonStringToMessage({text.data(), text.size()}, into).ok();
  };
  if (!parse(city, &city_json) || !parse(stations, &stations_json)) {
    return absl::InvalidArgumentError("demonstration: not JSON");
  }
  Reader reader;
  Scenario scenario;
  ReadCity(reader, city_json.fields(), &scenario);
  const Value& every_form = reader.At(stations_json.fields(), "everyForm");
  for (const Value& value : reader.At(stations_json.fields(), "stations").list_value().values()) {
    scenario.stations.push_back(ReadStation(reader, every_form, value.struct_value().fields()));
  }
  for (const DemoObjection& objection : scenario.objections) {
    bool known = false;
    for (const DemoStation& station : scenario.stations) known |= station.key == objection.station;
    if (!known) reader.Fail(absl::StrCat("there is no station ", objection.station));
  }
  YZ_RETURN_IF_ERROR(reader.status());
  return scenario;
}

absl::StatusOr<Scenario> BuiltInScenario() {
  return ParseScenario(embedded::kDemoCity, embedded::kDemoStations);
}

}  // namespace yuezhan::yz
