#include "common/metrics/metrics.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace yuezhan::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;

// Seconds. A call that writes takes some milliseconds; deadlines end at 30.
const prometheus::Histogram::BucketBoundaries kSeconds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                          0.1,   0.25,   0.5,   1,    2.5,   10};

// Families whose values are put, not counted.
class Board : public prometheus::Collectable {
 public:
  explicit Board(std::string service) : service_(std::move(service)) {}

  void Put(Family family) {
    MetricFamily put;
    put.name = std::move(family.name);
    put.help = std::move(family.help);
    put.type = family.counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
    for (Sample& sample : family.samples) {
      ClientMetric metric;
      metric.label.push_back({"service", service_});
      if (!sample.label.empty()) {
        metric.label.push_back({std::move(sample.label), std::move(sample.label_value)});
      }
      (family.counter ? metric.counter.value : metric.gauge.value) = sample.value;
      put.metric.push_back(std::move(metric));
    }
    absl::MutexLock lock(&mutex_);
    families_[put.name] = std::move(put);
  }

  std::vector<MetricFamily> Collect() const override {
    std::vector<MetricFamily> all;
    absl::MutexLock lock(&mutex_);
    for (const auto& [name, family] : families_) all.push_back(family);
    return all;
  }

 private:
  const std::string service_;
  mutable absl::Mutex mutex_;
  std::map<std::string, MetricFamily> families_ ABSL_GUARDED_BY(mutex_);
};

class PrometheusMetrics : public Metrics {
 public:
  explicit PrometheusMetrics(const std::string& service)
      : calls_(prometheus::BuildCounter()
                   .Name("yuezhan_calls_total")
                   .Help("Calls that ended, by method and code.")
                   .Labels({{"service", service}})
                   .Register(*registry_)),
        seconds_(prometheus::BuildHistogram()
                     .Name("yuezhan_call_seconds")
                     .Help("From a call's arrival to its answer.")
                     .Labels({{"service", service}})
                     .Register(*registry_)),
        queued_(prometheus::BuildHistogram()
                    .Name("yuezhan_call_queued_seconds")
                    .Help("How long calls waited for a handler thread.")
                    .Labels({{"service", service}})
                    .Register(*registry_)
                    .Add({}, kSeconds)),
        board_(std::make_shared<Board>(service)) {}

  absl::Status Serve(const std::string& listen) {
    try {
      exposer_ = std::make_unique<prometheus::Exposer>(listen);
    } catch (const std::exception& fault) {
      return absl::UnavailableError(absl::StrCat("cannot listen on ", listen, ": ", fault.what()));
    }
    exposer_->RegisterCollectable(registry_);
    exposer_->RegisterCollectable(board_);
    return absl::OkStatus();
  }

  void CountCall(const std::string& method, const std::string& code, absl::Duration elapsed,
                 absl::Duration queued) override {
    // Names that clients make up are one: they must not fill the memory.
    static const std::string kUnknown = "unknown";
    const std::string& known = code == "UNIMPLEMENTED" ? kUnknown : method;
    calls_.Add({{"method", known}, {"code", code}}).Increment();
    seconds_.Add({{"method", known}}, kSeconds).Observe(absl::ToDoubleSeconds(elapsed));
    queued_.Observe(absl::ToDoubleSeconds(queued));
  }

  void Put(Family family) override { board_->Put(std::move(family)); }

  int port() const override {
    return exposer_ == nullptr ? 0 : exposer_->GetListeningPorts().at(0);
  }

  std::string Text() const override {
    std::vector<MetricFamily> all = registry_->Collect();
    for (MetricFamily& family : board_->Collect()) all.push_back(std::move(family));
    return prometheus::TextSerializer().Serialize(all);
  }

 private:
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  prometheus::Family<prometheus::Counter>& calls_;
  prometheus::Family<prometheus::Histogram>& seconds_;
  prometheus::Histogram& queued_;
  const std::shared_ptr<Board> board_;
  std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Metrics>> Metrics::Open(const std::string& listen,
                                                       const std::string& service) {
  auto made = std::make_unique<PrometheusMetrics>(service);
  if (!listen.empty()) {
    if (const absl::Status served = made->Serve(listen); !served.ok()) return served;
  }
  return made;
}

absl::StatusOr<absl::Time> CertificateExpiry(const std::string& path) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(path.c_str(), "r"), &BIO_free);
  if (file == nullptr) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr), &X509_free);
  std::tm end{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is no certificate"));
  }
  return absl::FromTM(end, absl::UTCTimeZone());
}

}  // namespace yuezhan::metrics
