#include "rlhf/feedback/detail/database.h"

#include "rlhf/feedback/detail/postgres.h"
#include "rlhf/feedback/detail/sqlite.h"

namespace rlhf::feedback::detail {

std::int64_t Row::integer(std::size_t column) const {
  if (const auto* real = std::get_if<double>(&cells_[column])) return static_cast<std::int64_t>(*real);
  const auto* integer = std::get_if<std::int64_t>(&cells_[column]);
  return integer ? *integer : 0;
}

double Row::real(std::size_t column) const {
  if (const auto* integer = std::get_if<std::int64_t>(&cells_[column])) return static_cast<double>(*integer);
  const auto* real = std::get_if<double>(&cells_[column]);
  return real ? *real : 0.0;
}

const std::string& Row::text(std::size_t column) const {
  static const std::string nothing;
  const auto* text = std::get_if<std::string>(&cells_[column]);
  return text ? *text : nothing;
}

bool is_postgres(std::string_view location) {
  return location.starts_with("postgresql://") || location.starts_with("postgres://");
}

std::unique_ptr<Database> connect(const std::string& location, const Access& access) {
  if (is_postgres(location)) return std::make_unique<Postgres>(location, access);
  return std::make_unique<Sqlite>(location, access);
}

}  // namespace rlhf::feedback::detail
