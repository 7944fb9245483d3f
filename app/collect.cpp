#include <fmt/format.h>

#include <atomic>
#include <iostream>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include "app/collect_sources.h"
#include "app/commands.h"
#include "app/flags.h"
#include "app/pages.h"
#include "app/signals.h"
#include "app/world.h"
#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/feedback/collect.h"
#include "rlhf/feedback/exchange/files.h"
#include "rlhf/feedback/server_address.h"
#include "rlhf/feedback/store.h"
#include "rlhf/serving/auth.h"
#include "rlhf/serving/labeling.h"
#include "rlhf/serving/live_relay.h"
#include "rlhf/serving/media.h"
#include "rlhf/serving/owner.h"
#include "rlhf/serving/page_session.h"
#include "rlhf/serving/run_views.h"
#include "rlhf/serving/server.h"

namespace rlhf::app {
namespace {

struct CollectSettings {
  std::string store, project = "default", title = "Feedback";
  std::string host = "127.0.0.1";
  std::int64_t port = 7860;
  std::string accounts;
  std::vector<std::string> proxies;
  std::string certificate, key;
  std::string guideline, consent;
  QuestionSource source;
  std::string media, live, runs = "runs";
  double gold_share = 0.05;
  std::vector<std::string> rounds;
  std::int64_t lease_seconds = 900;
  std::string simulate;
  std::int64_t simulated = 1;
  double simulate_seconds = 0;
  bool participants = false;

  void fields(Fields& f) {
    f.field("store", store, "where feedback is kept: a file, or postgresql://...");
    f.field("project", project, "projects in one store see nothing of each other");
    f.field("title", title, "what the pages call this project");
    f.field("host", host, "address to listen on; others than 127.0.0.1 need accounts");
    f.field("port", port, "port to listen on; 0 = any free one");
    f.field("accounts", accounts,
            "file of accounts (`rlhf account`); default: none on 127.0.0.1, <store>.accounts elsewhere");
    f.field("participants", participants, "let people of a study in by an id in the address");
    f.field("trusted_proxies", proxies, "addresses of reverse proxies in front of this server");
    f.field("certificate", certificate, "PEM file of the certificate chain, to serve TLS");
    f.field("key", key, "PEM file of its key");
    f.field("guideline", guideline, "Markdown file with the instructions; a changed one is a new version");
    f.field("consent", consent, "Markdown file that annotators agree to before they begin");
    source.fields(f);
    f.field("media", media, "folder of clips; default: media beside the store");
    f.field("live", live, "folder where running agents listen; default: live beside the store");
    f.field("runs", runs, "folder of runs that the dashboard shows");
    f.field("gold_share", gold_share, "of questions whose answer is known, where there are any");
    f.field("rounds", rounds, "qualification rounds to be passed before real work");
    f.field("lease_seconds", lease_seconds, "how long a question waits for somebody who does nothing");
    f.field("simulate", simulate,
            "let simulated annotators join: vader (prefers cheerful texts), length (prefers long ones)");
    f.field("simulated", simulated, "how many of them");
    f.field("simulate_seconds", simulate_seconds, "that each of them takes for an answer");
  }

  void validate() const {
    if (port < 0 || port > 65535)
      throw Error({.category = Category::usage,
                   .where = "port",
                   .what = fmt::format("is {}, but has to be from 0 to 65535", port),
                   .fix = ""});
    if (gold_share < 0 || gold_share > 1)
      throw Error(
          {.category = Category::usage, .where = "gold_share", .what = "a share from 0 to 1 was expected", .fix = ""});
    source.validate();
  }
};

/// A changed text is a new version; its name is the content's.
void publish_guideline(feedback::Store& store, const std::string& file) {
  if (file.empty()) return;
  const auto text = read_file(file);
  store.publish(
      feedback::Document{.kind = "guideline", .name = "guideline", .version = sha256(text).substr(0, 8), .text = text});
}

std::shared_ptr<serving::FileCredentials> accounts_of(const CollectSettings& settings) {
  const bool alone = settings.host == "127.0.0.1" || settings.host == "::1" || settings.host == "localhost";
  if (settings.accounts.empty() && alone && !settings.participants) return nullptr;
  const auto beside = feedback::is_postgres(settings.store) ? "rlhf.accounts" : settings.store + ".accounts";
  return std::make_shared<serving::FileCredentials>(settings.accounts.empty() ? beside : settings.accounts);
}

/// Simulated annotators answer like everybody else, under names that say what they are.
class Simulated {
 public:
  Simulated(const CollectSettings& settings, feedback::Store& store) {
    if (settings.simulate.empty()) return;
    for (std::int64_t i = 0; i < settings.simulated; ++i)
      threads_.emplace_back([this, &settings, &store, i] { work(settings, store, i); });
  }
  ~Simulated() {
    over_ = true;
    for (auto& thread : threads_) thread.join();
  }

 private:
  void work(const CollectSettings& settings, feedback::Store& store, std::int64_t number) {
    const auto labeler =
        feedback::make_oracle(simulated_gold(settings.simulate), {.seed = static_cast<std::uint64_t>(number)});
    feedback::CollectOptions options;
    options.annotator = {fmt::format("simulated-{}", number + 1), feedback::Source::simulated};
    options.limit = 1;
    while (!over_) {
      try {
        const bool answered = feedback::answer_all(store, *labeler, options) > 0;
        const auto pause = std::chrono::duration<double>(answered ? settings.simulate_seconds : 0.2);
        for (auto left = pause; left.count() > 0 && !over_; left -= std::chrono::milliseconds(50))
          std::this_thread::sleep_for(std::min<std::chrono::duration<double>>(left, std::chrono::milliseconds(50)));
      } catch (const Error& error) {
        std::cerr << fmt::format("simulated annotator: {}\n", error.what());
        std::this_thread::sleep_for(std::chrono::seconds(1));
      }
    }
  }

  std::atomic<bool> over_{false};
  std::vector<std::thread> threads_;
};

serving::LabelingOptions labeling_options(const CollectSettings& settings) {
  serving::LabelingOptions options;
  options.project = settings.project;
  options.title = settings.title;
  if (!settings.consent.empty()) options.consent = read_file(settings.consent);
  options.lease = std::chrono::seconds(settings.lease_seconds);
  options.gold_share = settings.gold_share;
  options.required_rounds = settings.rounds;
  options.media = beside(settings.store, settings.media, "media");
  return options;
}

/// All feedback as the text of one file, the side of the split in a column.
std::string exported(const feedback::Store& store, const std::string& format, bool anonymous) {
  namespace exchange = feedback::exchange;
  const auto events = exchange::all_events(store);
  exchange::Report report;
  if (format == "events" && !anonymous) return exchange::events_text(events, report);
  exchange::Choice choice;
  if (anonymous) choice.pseudonym_key = std::to_string(std::random_device{}()) + std::to_string(std::random_device{}());
  const auto& chosen = exchange::format(format);
  exchange::Sheet sheet;
  for (const auto& each : exchange::judged(events, choice, report)) chosen.write(each, sheet);
  return exchange::file_text(chosen, sheet.rows, true);
}

serving::OwnerOptions owner_options(const CollectSettings& settings, feedback::Store& store,
                                    const std::shared_ptr<serving::FileCredentials>& accounts) {
  serving::OwnerOptions options;
  options.runs = settings.runs;
  options.add_questions = [&settings, &store](const std::string& rows) {
    auto source = settings.source;
    return add_questions(store, source, rows, "the upload");
  };
  options.export_as = [&store](const std::string& format, bool anonymous) {
    return exported(store, format, anonymous);
  };
  if (accounts) {
    options.set_login = [accounts](const std::string& name, const std::string& role, const std::string& password) {
      const auto known = serving::role_named(role);
      if (!known)
        throw Error({.category = Category::usage,
                     .where = "role",
                     .what = "there is no role \"" + role + "\"",
                     .fix = "owner, annotator or viewer."});
      accounts->set_password(name, *known, password);
    };
  }
  return options;
}

serving::ServerOptions server_options(const CollectSettings& settings) {
  serving::ServerOptions options{.address = settings.host == "localhost" ? "127.0.0.1" : settings.host,
                                 .port = static_cast<std::uint16_t>(settings.port)};
  options.certificate = settings.certificate;
  options.key = settings.key;
  options.trusted_proxies = settings.proxies;
  options.log = [](std::string_view line) { std::cerr << line << '\n'; };
  if (!feedback::is_postgres(settings.store)) options.audit = settings.store + ".audit.jsonl";
  return options;
}

}  // namespace

int collect(const Invocation& call) {
  CollectSettings settings;
  if (!read_settings(
          call,
          {.synopsis = "rlhf collect --store FILE [--questions FILE.jsonl | --model M --prompts FILE.jsonl] [settings]",
           .description = "Serves the pages on which people give feedback. Questions come from a file, from a model, "
                          "or from whatever\n"
                          "run publishes into the same store; answers train the moment they are given.",
           .positional = {"store"}},
          settings))
    return 0;
  require_given("store", settings.store, "rlhf collect feedback.db --questions pairs.jsonl");
  auto store = feedback::Store::open(settings.store, {.project = settings.project});
  publish_guideline(store, settings.guideline);
  const auto added = add_questions_of_file(store, settings.source);
  if (added > 0) std::cerr << fmt::format("{} new questions from {}\n", added, settings.source.questions);

  std::optional<ModelSource> model;
  if (!settings.source.model.empty()) model.emplace(store, settings.source);
  const auto accounts = accounts_of(settings);
  const auto auth =
      accounts ? std::make_shared<serving::Auth>(accounts, serving::AuthOptions{.participants = settings.participants})
               : nullptr;

  serving::Labeling labeling(store, labeling_options(settings), model ? model->chat() : nullptr);
  serving::Owner owner(store, owner_options(settings, store, accounts));
  serving::Router router;
  add_page_session(router, auth, settings.project, model.has_value());
  labeling.add_routes(router);
  owner.add_routes(router);
  serving::add_run_routes(router, settings.runs);
  serving::add_media(router, beside(settings.store, settings.media, "media"), {.access = serving::Access::annotators});
  serving::add_live_relay(router, store, beside(settings.store, settings.live, "live"));
  add_pages(router);
  serving::Server server(server_options(settings), std::move(router), auth);
  server.start();
  const feedback::ServerAddress address(settings.store, server.url());
  const Simulated simulated(settings, store);
  if (model) model->start();
  std::cout << (call.json ? nlohmann::json{{"url", server.url()}}.dump()
                          : fmt::format("collecting feedback at {}", server.url()))
            << std::endl;
  while (!stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  std::cerr << "stopping\n";
  server.stop(std::chrono::seconds(3));
  return 0;
}

}  // namespace rlhf::app
