import { api } from "../api";

/// A clip whose frames are decoded and can be drawn at once.
export interface Clip { fps: number; width: number; height: number; frames: ImageBitmap[] }

const kept = 16; // clips; a clip of 60 frames of 400 × 400 is 38 MB
const clips = new Map<string, Promise<Clip>>();

async function load(hash: string): Promise<Clip> {
  const { fps, width, height, frames } = await api.manifest(hash);
  if (!frames.length) throw new Error("The clip has no frames.");
  const pictures = await Promise.all(frames.map(async (frame) => {
    const response = await fetch(`/media/${frame}.png`);
    if (!response.ok) throw new Error(`A frame of the clip is missing (${response.status}).`);
    return createImageBitmap(await response.blob());
  }));
  return { fps, width, height, frames: pictures };
}

/// The clip, from memory if it was asked for before.
export function clip(hash: string): Promise<Clip> {
  const found = clips.get(hash) ?? load(hash);
  clips.delete(hash);
  clips.set(hash, found);
  found.catch(() => clips.delete(hash));
  while (clips.size > kept) clips.delete(clips.keys().next().value!);
  return found;
}
