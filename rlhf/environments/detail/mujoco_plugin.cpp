// librlhf_mujoco.so: the only file that includes MuJoCo's headers. It needs nothing of the program but the interface.
#include <mujoco/mujoco.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <stdexcept>

#include "rlhf/environments/detail/mujoco_simulation.h"

namespace {

using namespace rlhf::environments::detail;

static_assert(mjVERSION_HEADER == mujoco_version, "mujoco_simulation.h names another release than tools/pins.txt");
static_assert(sizeof(mjtNum) == sizeof(double));

constexpr int kept = mjSTATE_FULLPHYSICS | mjSTATE_WARMSTART;

using Model = std::shared_ptr<const mjModel>;

/// Models don't change once they are loaded: all simulations of one share it, on any thread.
Model model_of(const std::string& file) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<const mjModel>> loaded;
  const std::lock_guard lock(mutex);
  auto& known = loaded[file];
  if (auto model = known.lock()) return model;
  char error[1000] = "";
  const auto path = std::string(RLHF_MUJOCO_MODELS "/") + file;
  mjModel* read = mj_loadXML(path.c_str(), nullptr, error, sizeof error);
  if (!read) throw std::runtime_error(path + ": " + error);
  Model model(read, [](const mjModel* m) { mj_deleteModel(const_cast<mjModel*>(m)); });
  known = model;
  return model;
}

MujocoView view_of(const mjModel* m, mjData* d) {
  return {.positions = static_cast<int>(m->nq),
          .speeds = static_cast<int>(m->nv),
          .controls = static_cast<int>(m->nu),
          .bodies = static_cast<int>(m->nbody),
          .timestep = m->opt.timestep,
          .control_range = m->actuator_ctrlrange,
          .start = m->qpos0,
          .mass = m->body_mass,
          .qpos = d->qpos,
          .qvel = d->qvel,
          .control = d->ctrl,
          .body_at = d->xpos,
          .mass_at = d->xipos,
          .site_at = d->site_xpos,
          .inertia = d->cinert,
          .body_speed = d->cvel,
          .contact = d->cfrc_ext,
          .actuator = d->qfrc_actuator,
          .constraint = d->qfrc_constraint};
}

class Simulation final : public MujocoSimulation {
 public:
  explicit Simulation(const std::string& file) : model_(model_of(file)), data_(mj_makeData(model_.get())) {
    if (!data_) throw std::runtime_error("there is no memory for a simulation of " + file);
    view = view_of(model_.get(), data_);
  }
  ~Simulation() override {
    mj_deleteData(data_);
    mj_deleteData(drawn_);
  }
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  int body(const char* name) const override { return mj_name2id(model_.get(), mjOBJ_BODY, name); }
  void reset() override { mj_resetData(model_.get(), data_); }
  void forward() override { mj_forward(model_.get(), data_); }
  void step(int times) override {
    for (int i = 0; i < times; ++i) mj_step(model_.get(), data_);
    mj_rnePostConstraint(model_.get(), data_);  // mj_step leaves the forces from outside at zero
  }

  int state_numbers() const override { return static_cast<int>(mj_stateSize(model_.get(), kept)); }
  std::vector<double> state() const override {
    std::vector<double> numbers(static_cast<std::size_t>(state_numbers()));
    mj_getState(model_.get(), data_, numbers.data(), kept);
    return numbers;
  }
  void set_state(const double* numbers) override {
    mj_resetData(model_.get(), data_);
    mj_setState(model_.get(), data_, numbers, kept);
  }

  std::vector<MujocoShape> shapes() const override;

 private:
  Model model_;
  mjData* data_;
  mutable mjData* drawn_ = nullptr;  // drawing must not touch what the next step begins with
};

std::vector<MujocoShape> Simulation::shapes() const {
  const mjModel* m = model_.get();
  if (!drawn_) drawn_ = mj_makeData(m);
  std::copy_n(data_->qpos, m->nq, drawn_->qpos);
  mj_kinematics(m, drawn_);
  std::vector<MujocoShape> shapes;
  for (int i = 0; i < m->ngeom; ++i) {
    const float* color = m->geom_rgba + 4 * i;
    if (color[3] == 0) continue;
    MujocoShape shape{.radius = m->geom_size[3 * i], .red = color[0], .green = color[1], .blue = color[2]};
    switch (m->geom_type[i]) {
      case mjGEOM_PLANE:
        shape.kind = MujocoShape::plane;
        break;
      case mjGEOM_CAPSULE:
      case mjGEOM_CYLINDER:
        shape.kind = MujocoShape::capsule;
        shape.half_length = m->geom_size[3 * i + 1];
        break;
      default:
        break;
    }
    std::copy_n(drawn_->geom_xpos + 3 * i, 3, shape.center);
    for (int k = 0; k < 3; ++k) shape.axis[k] = drawn_->geom_xmat[9 * i + 3 * k + 2];
    shapes.push_back(shape);
  }
  return shapes;
}

/// A simulation that explodes is begun anew by MuJoCo itself, and the environment ends or goes on as its rules say: no
/// file MUJOCO_LOG.TXT in the working directory, nothing on the console.
void quiet() {
  auto config = mju_getLogConfig();
  config.logto_console = false;
  config.logto_file = false;
  mju_setLogConfig(config);
}

}  // namespace

extern "C" int rlhf_mujoco_interface() { return mujoco_interface; }

/// A new simulation, or null and why not.
extern "C" MujocoSimulation* rlhf_mujoco_open(const char* model, char* error, int size) {
  try {
    if (mj_version() != mjVERSION_HEADER)
      throw std::runtime_error(std::string("libmujoco is version ") + mj_versionString() +
                               ", not the one it was built for");
    static std::once_flag once;
    std::call_once(once, quiet);
    return new Simulation(model);
  } catch (const std::exception& failure) {
    std::strncpy(error, failure.what(), static_cast<std::size_t>(size) - 1);
    error[size - 1] = '\0';
    return nullptr;
  }
}
