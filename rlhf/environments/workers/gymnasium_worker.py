"""Plays environments of Gymnasium for rlhf (docs/workers.md is the protocol). Needs gymnasium and numpy, nothing else."""
import importlib.util
import json
import mmap
import os
import socket
import struct
import sys
import threading
import time
import traceback

PROTOCOL = 1
REST, BEGIN, NEXT, STEP, STEP_NEXT = range(5)
MOST_CHOICES = 4096


class Refused(Exception):
    """Something the user asked for that cannot be done: an answer, not a crash."""

    def __init__(self, error, fix=""):
        super().__init__(error)
        self.fix = fix


class Line:
    """The socket that rlhf left open as descriptor 3: 4 + 4 bytes of sizes, JSON, bytes."""

    def __init__(self):
        self.socket = socket.socket(fileno=3)

    def read(self, size):
        parts = b""
        while len(parts) < size:
            part = self.socket.recv(size - len(parts))
            if not part:
                os._exit(0)  # rlhf is gone
            parts += part
        return parts

    def receive(self):
        head, size = struct.unpack("=II", self.read(8))
        return (json.loads(self.read(head)) if head else None), self.read(size)

    def send(self, head=None, data=b""):
        text = json.dumps(head).encode() if head is not None else b""
        self.socket.sendall(struct.pack("=II", len(text), len(data)) + text + data)


# --- spaces ----------------------------------------------------------------------------------------------------------

def number(value):
    value = float(value)
    return value if -1e308 < value < 1e308 else ("inf" if value > 0 else "-inf")


def bounds(values):
    flat = [number(v) for v in numpy.asarray(values).reshape(-1)]
    return flat[:1] if len(set(flat)) == 1 else flat


def whole(space):
    """(low, high) arrays of a space of whole numbers, or None."""
    if isinstance(space, spaces.Discrete):
        return numpy.array([space.start]), numpy.array([space.start + space.n - 1])
    if isinstance(space, spaces.MultiDiscrete):
        start = getattr(space, "start", numpy.zeros_like(space.nvec))
        return numpy.asarray(start).reshape(-1), numpy.asarray(start + space.nvec - 1).reshape(-1)
    if isinstance(space, spaces.MultiBinary):
        count = int(numpy.prod(space.shape))
        return numpy.zeros(count, dtype=int), numpy.ones(count, dtype=int)
    return None


def leaves(space, name="observation"):
    if isinstance(space, spaces.Dict):
        for key, part in space.spaces.items():
            yield from leaves(part, f"{name}.{key}")
    elif isinstance(space, spaces.Tuple):
        for i, part in enumerate(space.spaces):
            yield from leaves(part, f"{name}.{i}")
    else:
        yield name, space


def parts_of(value, space):
    if isinstance(space, spaces.Dict):
        for key, part in space.spaces.items():
            yield from parts_of(value[key], part)
    elif isinstance(space, spaces.Tuple):
        for one, part in zip(value, space.spaces):
            yield from parts_of(one, part)
    else:
        yield value


class PlainObservation:
    """A Box, or whole numbers."""

    manifest = None

    def __init__(self, space):
        limits = whole(space)
        if limits is not None:
            self.dtype, self.shape, self.low, self.high = "int64", [len(limits[0])], *limits
            self.moved = False
            return
        names = {"uint8": "uint8", "float16": "float32", "float32": "float32", "float64": "float64"}
        self.dtype = names.get(str(space.dtype), "int64")
        self.moved = self.dtype == "uint8" and len(space.shape) == 3 and space.shape[2] in (1, 3, 4) and space.shape[0] > 4
        order = (lambda a: numpy.moveaxis(a, 2, 0)) if self.moved else (lambda a: a)
        self.shape = list(order(space.low).shape) or [1]
        self.low, self.high = order(space.low), order(space.high)

    def write(self, value, row):
        value = numpy.asarray(value)
        row[...] = numpy.moveaxis(value, 2, 0) if self.moved else value.reshape(row.shape)


class FlatObservation:
    """Dict and Tuple: all their parts in one row; choices get one unit each."""

    moved = False

    def __init__(self, space):
        self.space, self.parts, self.manifest, begin = space, [], [], 0
        low, high, double = [], [], False
        for name, part in leaves(space):
            limits = whole(part)
            if limits is not None:
                units = [int(h - l + 1) for l, h in zip(*limits)]
                count = sum(units)
                if count > MOST_CHOICES:
                    raise Refused(f"{name} has {count} values, more than {MOST_CHOICES}")
                low.append(numpy.zeros(count)), high.append(numpy.ones(count))
            elif isinstance(part, spaces.Box):
                units, count = None, int(numpy.prod(part.shape))
                low.append(part.low.reshape(-1)), high.append(part.high.reshape(-1))
                double = double or part.dtype == numpy.float64
            else:
                refuse(part, name)
            self.parts.append((limits, units, begin, count))
            self.manifest.append({"name": name, "space": type(part).__name__, "shape": list(part.shape or []), "begin": begin, "numbers": count})
            begin += count
        self.dtype, self.shape = "float64" if double else "float32", [begin]
        self.low, self.high = numpy.concatenate(low), numpy.concatenate(high)

    def write(self, value, row):
        for one, (limits, units, begin, count) in zip(parts_of(value, self.space), self.parts):
            here = row[begin:begin + count]
            if units is None:
                here[...] = numpy.asarray(one).reshape(-1)
                continue
            here[...] = 0
            at = numpy.cumsum([0] + units[:-1]) + numpy.asarray(one).reshape(-1) - limits[0]
            here[at] = 1


def refuse(space, name):
    raise Refused(f"{name} is a {type(space).__name__}, which cannot be made an array of fixed size",
                  "Box, Discrete, MultiDiscrete, MultiBinary, and Dict and Tuple of these can. Wrap the environment.")


def observation_of(space):
    if isinstance(space, (spaces.Dict, spaces.Tuple)):
        return FlatObservation(space)
    if whole(space) is None and not isinstance(space, spaces.Box):
        refuse(space, "its observation")
    return PlainObservation(space)


class Choices:
    """One of all combinations, the last number fastest."""

    def __init__(self, space):
        self.space = space
        self.low, high = whole(space)
        self.sizes = [int(h - l + 1) for l, h in zip(self.low, high)]
        count = int(numpy.prod(self.sizes, dtype=float))
        if count > MOST_CHOICES:
            raise Refused(f"its actions have {count} combinations, more than {MOST_CHOICES}", "Wrap the environment.")
        self.actions = [self.action(i) for i in range(count)]
        self.dtype, self.shape = "int64", []

    def action(self, index):
        digits = numpy.array(numpy.unravel_index(index, self.sizes)) + self.low
        if isinstance(self.space, spaces.Discrete):
            return int(digits[0])
        return digits.reshape(self.space.shape).astype(self.space.dtype)

    def names(self, environment):
        if isinstance(self.space, spaces.Discrete) and hasattr(environment.unwrapped, "get_action_meanings"):
            return list(environment.unwrapped.get_action_meanings())
        return [",".join(str(int(d)) for d in numpy.asarray(a).reshape(-1)) for a in self.actions]

    def spec(self, environment):
        return {"choices": self.names(environment)}

    def __call__(self, row):
        return self.actions[int(row)]


class Numbers:
    """A Box, or Dict and Tuple of nothing else."""

    def __init__(self, space):
        self.space, self.parts, begin = space, [], 0
        for name, part in leaves(space, "its action"):
            if not isinstance(part, spaces.Box):
                refuse(part, name)
            count = int(numpy.prod(part.shape))
            self.parts.append((part, begin, count))
            begin += count
        self.dtype, self.shape = "float32", [begin]

    def spec(self, environment):
        return {"dtype": "float32", "shape": self.shape,
                "low": bounds(numpy.concatenate([p.low.reshape(-1) for p, _, _ in self.parts])),
                "high": bounds(numpy.concatenate([p.high.reshape(-1) for p, _, _ in self.parts]))}

    def __call__(self, row):
        values = iter([row[b:b + n].astype(p.dtype).reshape(p.shape) for p, b, n in self.parts])

        def built(space):
            if isinstance(space, spaces.Dict):
                return {key: built(part) for key, part in space.spaces.items()}
            if isinstance(space, spaces.Tuple):
                return tuple(built(part) for part in space.spaces)
            return next(values)

        return built(self.space)


def action_of(space):
    return Choices(space) if whole(space) is not None else Numbers(space)


# --- states ----------------------------------------------------------------------------------------------------------

def family(environment):
    module = type(environment.unwrapped).__module__
    for name in ("classic_control", "toy_text", "mujoco"):
        if module.startswith(f"gymnasium.envs.{name}"):
            return None if "blackjack" in module else name
    return None


def can_draw(environment):
    """Games of Gymnasium's own draw with pygame, and say that it is missing only when they are asked to."""
    return family(environment) not in ("classic_control", "toy_text") or importlib.util.find_spec("pygame") is not None


def time_limit(environment):
    while environment is not environment.unwrapped:
        if hasattr(environment, "_elapsed_steps"):
            return environment
        environment = environment.env
    return None


def saved(environment, kind):
    world, limit = environment.unwrapped, time_limit(environment)
    state = {"random": world.np_random.bit_generator.state, "steps": limit._elapsed_steps if limit else 0}
    if kind == "classic_control":
        state["state"] = [float(v) for v in world.state]
        state["dtype"] = str(world.state.dtype) if isinstance(world.state, numpy.ndarray) else ""
        for name in ("last_u", "steps_beyond_terminated"):
            if getattr(world, name, None) is not None:
                state[name] = float(getattr(world, name))
    elif kind == "toy_text":
        state["s"] = int(world.s)
        state["last"] = int(world.lastaction) if world.lastaction is not None else None
        if hasattr(world, "fickle_step"):  # Taxi: whether this episode's passenger will change his mind
            state["fickle_step"] = bool(world.fickle_step)
    else:
        import mujoco
        size = mujoco.mj_stateSize(world.model, mujoco.mjtState.mjSTATE_INTEGRATION)
        values = numpy.empty(size)
        mujoco.mj_getState(world.model, world.data, values, mujoco.mjtState.mjSTATE_INTEGRATION)
        state["state"] = values.tolist()
    return state


def restore(environment, kind, state):
    world, limit = environment.unwrapped, time_limit(environment)
    world.np_random.bit_generator.state = state["random"]
    if limit:
        limit._elapsed_steps = state["steps"]
    if kind == "classic_control":
        world.state = numpy.array(state["state"], dtype=state["dtype"]) if state["dtype"] else tuple(state["state"])
        for name in ("last_u", "steps_beyond_terminated"):
            if hasattr(world, name):
                setattr(world, name, state.get(name))
        if state.get("steps_beyond_terminated") is not None:
            world.steps_beyond_terminated = int(state["steps_beyond_terminated"])
    elif kind == "toy_text":
        world.s, world.lastaction = state["s"], state["last"]
        if "fickle_step" in state:
            world.fickle_step = state["fickle_step"]
    else:
        import mujoco
        mujoco.mj_setState(world.model, world.data, numpy.array(state["state"]), mujoco.mjtState.mjSTATE_INTEGRATION)
        mujoco.mj_forward(world.model, world.data)


# --- the environments ------------------------------------------------------------------------------------------------

class One:
    """One environment, and where its episode stands."""

    def __init__(self, settings):
        for module in filter(None, (m.strip() for m in settings.get("modules", "").split(","))):
            __import__(module)
        keywords = dict(settings.get("kwargs", {}))
        try:
            self.environment = gymnasium.make(settings["id"], **{"render_mode": "rgb_array", "disable_env_checker": True, **keywords})
            self.pictures = self.environment.render_mode == "rgb_array" and can_draw(self.environment)
        except Exception:
            self.environment = gymnasium.make(settings["id"], **keywords)
            self.pictures = False
        self.seen = observation_of(self.environment.observation_space)
        self.done = action_of(self.environment.action_space)
        self.kind = family(self.environment)
        self.running, self.observation = False, None

    def spec(self):
        world = self.environment.unwrapped
        fps = self.environment.metadata.get("render_fps") or 0
        limit = self.environment.spec.max_episode_steps if self.environment.spec else 0
        said = {"version": 1, "max_steps": limit or 0, "step_seconds": float(getattr(world, "dt", 0) or (1 / fps if fps else 0)),
                "state": self.kind is not None, "render": self.pictures, "action": self.done.spec(self.environment),
                "observation": {"dtype": self.seen.dtype, "shape": self.seen.shape, "low": bounds(self.seen.low), "high": bounds(self.seen.high)}}
        if self.seen.manifest:
            said["manifest"] = self.seen.manifest
        return said

    def begin(self, seed, options=None):
        options = dict(options or {})
        injected = options.pop("state", None) if self.kind == "classic_control" else None
        self.observation, info = self.environment.reset(seed=int(seed), options=options or None)
        self.running = True
        if injected is not None:
            self.environment.unwrapped.state = numpy.array(injected, dtype=numpy.float64)
            self.look()
        return info

    def step(self, action):
        self.observation, reward, terminated, truncated, _ = self.environment.step(self.done(action))
        self.running = not (terminated or truncated)
        return float(reward), bool(terminated), bool(truncated)

    def look(self):
        """What is seen in a state that was set."""
        world = self.environment.unwrapped
        if self.kind == "toy_text":
            self.observation = int(world.s)
        elif hasattr(world, "_get_obs"):
            self.observation = world._get_obs()
        elif hasattr(world, "_get_ob"):
            self.observation = world._get_ob()
        else:
            self.observation = numpy.array(world.state, dtype=numpy.float32)

    def state(self):
        return json.dumps({"running": self.running, "world": saved(self.environment, self.kind)}).encode()

    def set_state(self, data):
        try:
            state = json.loads(data)
            if self.observation is None:
                self.environment.reset(seed=0)
            restore(self.environment, self.kind, state["world"])
        except (ValueError, KeyError, TypeError) as problem:
            raise Refused(f"these bytes are no state of it: {problem}", "Give what state() returned.")
        self.running = state["running"]
        self.look()


class Fleet:
    def __init__(self, settings, count):
        self.each = [One(settings) for _ in range(count)]

    def attach(self, layout):
        memory = mmap.mmap(4, layout["bytes"])
        count, one = len(self.each), self.each[0]

        def array(place, dtype, shape=()):
            return numpy.ndarray((count, *shape), dtype, memory, place)

        self.memory, self.layout = memory, layout
        self.orders, self.seeds = array(layout["orders"], "uint8"), array(layout["seeds"], "uint64")
        self.actions = array(layout["actions"], one.done.dtype, one.done.shape)
        self.rewards = array(layout["rewards"], "float64")
        self.terminated, self.truncated = array(layout["terminated"], "uint8"), array(layout["truncated"], "uint8")
        self.observations = [array(place, one.seen.dtype, one.seen.shape) for place in layout["observations"]]
        self.finals = array(layout["final_observations"], one.seen.dtype, one.seen.shape)
        self.block = numpy.ndarray((1,), "uint64", memory, layout["block"])

    def rows(self):
        return self.observations[int(self.block[0])]

    def round(self):
        rows = self.rows()
        for i, one in enumerate(self.each):
            order = self.orders[i]
            if order == REST:
                continue
            if order in (BEGIN, NEXT):
                one.begin(self.seeds[i])
                self.rewards[i] = self.terminated[i] = self.truncated[i] = 0
            else:
                self.rewards[i], self.terminated[i], self.truncated[i] = one.step(self.actions[i])
                if order == STEP_NEXT and not one.running:
                    one.seen.write(one.observation, self.finals[i])
                    one.begin(self.seeds[i])
            one.seen.write(one.observation, rows[i])

    def answer(self, asked, data):
        if asked["do"] == "attach":
            self.attach(asked)
            return {"attached": True}, b""
        i = asked.get("environment", 0)
        one = self.each[i]
        if asked["do"] == "reset":
            info = one.begin(asked["seed"], asked.get("options"))
            one.seen.write(one.observation, self.rows()[i])
            return {"info": json.loads(json.dumps(info, default=str))}, b""
        if asked["do"] == "state":
            return {"state": True}, one.state()
        if asked["do"] == "set_state":
            one.set_state(data)
            one.seen.write(one.observation, self.rows()[i])
            return {"running": one.running}, b""
        if asked["do"] == "render":
            picture = numpy.ascontiguousarray(one.environment.render(), dtype=numpy.uint8)
            return {"width": picture.shape[1], "height": picture.shape[0]}, picture.tobytes()
        raise Refused(f"the worker does not know how to do '{asked['do']}'")


def beat(memory, place):
    """Once a second; ends the process when rlhf is gone, whatever the main thread is doing."""
    parent, count = os.getppid(), 0
    while os.getppid() == parent:
        count += 1
        struct.pack_into("=Q", memory, place, count)
        time.sleep(1)
    os._exit(0)


def main():
    line = Line()
    line.send({"hello": "rlhf-worker", "protocol": PROTOCOL, "program": f"gymnasium {gymnasium.__version__}"})
    fleet = None
    while True:
        asked, data = line.receive()
        try:
            if asked is None:
                fleet.round()
                line.send()
            elif asked["do"] == "make":
                fleet = Fleet(asked["settings"], asked["count"])
                line.send({"spec": fleet.each[0].spec()})
            else:
                line.send(*fleet.answer(asked, data))
                if asked["do"] == "attach":
                    threading.Thread(target=beat, args=(fleet.memory, asked["heart"]), daemon=True).start()
        except Refused as refused:
            line.send({"error": str(refused), "fix": refused.fix})
        except Exception as problem:
            if asked is not None and asked["do"] == "make":
                line.send({"error": f"gymnasium: {type(problem).__name__}: {problem}", "fix": "Look at id, kwargs and modules."})
            else:
                line.send({"error": traceback.format_exc()})


try:
    import gymnasium
    import numpy
    from gymnasium import spaces
except ImportError as missing:
    sys.exit(f"{sys.executable} cannot import {missing.name}: install it (pip install gymnasium), or set `python` to one that has it")

main()
