#pragma once
#include "rlhf/environments/worker.h"

namespace rlhf::environments {

struct GymnasiumConfig {
  std::string id = "CartPole-v1";  // what gymnasium.make takes
  std::string kwargs;              // a JSON object, passed on to gymnasium.make
  std::string modules;             // to import before, separated by commas: those that register environments
  std::string python = "python3";  // with gymnasium and numpy
  WorkerCare worker;

  void fields(Fields& f);
  void validate() const;
};

/// Any environment of Gymnasium, stepped by Python in a process of its own (Towers et al. 2024, arXiv:2407.17032).
///
///   Box                         as it is; uint8 pictures [height, width, colours] become [colours, height, width];
///                               float16 becomes float32, other whole numbers int64
///   Discrete, MultiDiscrete, MultiBinary   seen: int64; done: one choice, all combinations counted through (4,096 at
///                               most), the last one fastest
///   Dict, Tuple                 flattened to float32 (float64 where a part is), choices as one unit each;
///                               Spec::manifest says which numbers are which part. Done: all parts Box, or none
///
/// Anything else is rlhf::Error (usage). States can be saved of classic control, toy text and MuJoCo; reset takes
/// Gymnasium's own options, and for classic control {"state": [...]}.
WorkerProgram gymnasium_program(const GymnasiumConfig& config);

/// Whether an interpreter (a path, or a name on PATH) has gymnasium and numpy. Looks where Python looks for packages,
/// without starting it: packages made known in other ways (.pth files) are not seen.
bool gymnasium_installed(const std::string& python);

}  // namespace rlhf::environments
