"""Atari screens by Python's ALE and an area resize of NumPy, for tests/environments/atari_test.cpp.

    python make_atari.py        (ale-py 0.12.1, numpy; opencv-python-headless and gymnasium for the comparison that is printed)

A pipeline of its own: the emulator through ale_py, the steps as the environment's page has them, the resize by float64 weights.
The file holds the first 16 digits of the SHA-256 of what is seen after each action.
"""
import hashlib
import json
import pathlib

import ale_py
import numpy

MASK = 2**64 - 1


def mixed(seed, which):
    z = (seed + (which + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def weights(source, target):
    """[target, source]: the share of each source pixel in each target pixel."""
    w, scale = numpy.zeros((target, source)), source / target
    for i in range(target):
        for j in range(source):
            w[i, j] = max(0.0, min((i + 1) * scale, j + 1) - max(i * scale, j)) / scale
    return w


ROWS, COLUMNS = weights(210, 84), weights(160, 84)


def shrink(screen):
    # To 1e-9: what is a half but for rounding is a half, which goes to even.
    return numpy.rint(numpy.round(ROWS @ screen.astype(numpy.float64) @ COLUMNS.T, 9)).astype(numpy.uint8)


class Pipeline:
    def __init__(self, game, seed=0, noop_max=1, sticky=0.0, episodic_life=False, clip_reward=False, mask=()):
        self.game, self.seed, self.noop_max, self.sticky = game, seed, noop_max, sticky
        self.episodic_life, self.clip_reward, self.mask = episodic_life, clip_reward, mask
        self.largest = []  # pictures before they are shrunk
        self.begin()

    def begin(self):
        self.ale = ale_py.ALEInterface()
        self.ale.setFloat("repeat_action_probability", self.sticky)
        self.ale.setInt("random_seed", mixed(self.seed, 0) & 0x7FFFFFFF)
        self.ale.setInt("max_num_frames_per_episode", 108000)
        self.ale.loadROM(ale_py.roms.get_rom_path(self.game))
        self.actions = self.ale.getMinimalActionSet()
        for _ in range(1 + mixed(self.seed, 1) % self.noop_max):
            self.ale.act(ale_py.Action.NOOP)
        self.screens = [self.ale.getScreenGrayscale().copy(), numpy.zeros((210, 160), numpy.uint8)]
        self.press(1)  # both games have FIRE there
        self.see(True)
        self.lives, self.over = self.ale.lives(), False

    def press(self, action):
        reward = 0
        for frame in range(4):
            reward += self.ale.act(self.actions[action])
            if self.ale.game_over():
                break
            if frame >= 2:
                self.screens[frame - 2] = self.ale.getScreenGrayscale().copy()
        return reward

    def see(self, fill):
        largest = numpy.maximum(*self.screens)
        for left, top, width, height in self.mask:
            largest[top:top + height, left:left + width] = 0
        self.largest.append(largest)
        small = shrink(largest)
        self.stack = [small] * 4 if fill else self.stack[1:] + [small]

    def step(self, action):
        reward = self.press(action)
        self.see(False)
        lives, over = self.ale.lives(), self.ale.game_over()
        lost = self.episodic_life and not over and 0 < lives < self.lives
        self.lives = lives
        if over:
            self.begin()
        elif lost:
            self.press(0), self.press(1), self.see(True)
            self.lives = self.ale.lives()
        return float(numpy.sign(reward)) if self.clip_reward else float(reward), bool(over or lost)

    def digest(self):
        return hashlib.sha256(numpy.stack(self.stack).tobytes()).hexdigest()[:16]


def episode(game, settings, steps):
    world = Pipeline(game, **settings)
    random = numpy.random.default_rng(5)
    actions = random.integers(0, len(world.actions), steps).tolist()
    seen, rewards, ends = [world.digest()], [], []
    for t, action in enumerate(actions):
        reward, ended = world.step(action)
        seen.append(world.digest())
        rewards.append(reward)
        if ended:
            ends.append(t)
    compare_with_opencv(game, world.largest)
    return {"game": game, "settings": settings, "actions": actions, "seen": seen, "rewards": rewards, "ends": ends}


def compare_with_opencv(game, pictures):
    import cv2
    worst, unequal, total = 0, 0, 0
    for picture in pictures:
        difference = numpy.abs(cv2.resize(picture, (84, 84), interpolation=cv2.INTER_AREA).astype(int) - shrink(picture))
        worst, unequal, total = max(worst, difference.max()), unequal + (difference > 0).sum(), total + difference.size
    print(f"{game}: OpenCV's INTER_AREA differs in {unequal} of {total} pixels, by {worst} at most")


def compare_with_gymnasium(game, name):
    """Gymnasium's own wrapper from its own start: what it shows against this pipeline on its emulator."""
    import gymnasium
    gymnasium.register_envs(ale_py)
    env = gymnasium.make(f"ALE/{name}-v5", frameskip=1, repeat_action_probability=0.0)
    env = gymnasium.wrappers.AtariPreprocessing(env, noop_max=1)
    env.reset(seed=1)
    world = Pipeline(game)
    world.ale = env.unwrapped.ale
    unequal = worst = 0
    for action in numpy.random.default_rng(5).integers(0, len(world.actions), 200):
        saved = world.ale.cloneState(include_rng=True)
        theirs, _, over, _, _ = env.step(action)
        if over:
            break
        world.ale.restoreState(saved)
        world.press(action)
        world.see(False)
        difference = numpy.abs(theirs.astype(int) - world.stack[-1])
        unequal, worst = unequal + (difference > 0).sum(), max(worst, difference.max())
    print(f"{name}: Gymnasium's AtariPreprocessing differs in {unequal} pixels of 200 pictures, by {worst} at most")


if __name__ == "__main__":
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    cases = [episode("pong", {}, 200), episode("breakout", {}, 200),
             episode("breakout", {"episodic_life": True, "clip_reward": True}, 400),
             episode("breakout", {"seed": 12345, "noop_max": 30, "sticky": 0.25}, 100),
             episode("pong", {"mask": [[0, 0, 160, 24]]}, 30)]
    compare_with_gymnasium("pong", "Pong")
    compare_with_gymnasium("breakout", "Breakout")
    path = pathlib.Path(__file__).resolve().parent / "atari.json"
    path.write_text(json.dumps({"cases": cases}, separators=(",", ":")) + "\n")
    print([(c["game"], sum(c["rewards"]), c["ends"]) for c in cases])
