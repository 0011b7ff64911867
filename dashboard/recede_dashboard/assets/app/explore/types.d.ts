/** What the parts of Explore hand each other. */

import type { Accuracy, Checkpoint, CurvePoint, Job, Progress } from "../api/types.js";
import type { Cost, Plan, Ranking, Selection } from "../pruning/selection.js";

import type { ApiError } from "../api/client.js";

export type { Explore } from "./app.js";
export type { Source } from "./data/source.js";
export type { Target, State } from "./state/choices.js";

/** A plan of one epoch, as the API takes it. */
export type EpochPlan = Plan & { epoch?: number | null };

/** Which curve: epoch and what the plans of its points share. */
export interface CurvePlace {
  epoch: number | null;
  scope: string;
  criterion: string;
  bias: string;
}

/** The ratio that meets what is asked for; `why` says in words why none does. */
export interface Solved {
  ratio: number;
  reached: boolean;
  value?: number;
  bound?: number;
  why?: string;
}

/** The cut of the present choices. */
interface CutNumbers {
  plan: EpochPlan;
  selection: Selection;
  /** Ratio that was asked for, or that the threshold comes to. */
  asked: number;
  solved: Solved | null;
  /** The threshold as an importance; null where no single one exists. */
  line: number | null;
  cost: Cost;
  accuracy: Accuracy | null;
  /** What was measured of it by a metric that is no share of counted images. */
  value: number | null;
  /** Layers of which more than 95 % would go. */
  nearlyGone: string[];
  /** The natural gap, as an importance. */
  gap: number | null;
}

interface Frame {
  /** The epoch shown, and the newest that is stored. */
  epoch: number | null;
  latest: number | null;
  /** Place of the chosen layer, −1 for none. */
  layer: number;
  finished: boolean;
  dense: Cost | null;
  denseAccuracy: { value: number; n: number } | null;
  /** Whether the weights of this epoch are kept, and its scores are here. */
  canCut: boolean;
  /** Whether it can be measured: here, or where the network of a training elsewhere is. */
  canMeasure: boolean;
  hasWeights: boolean;
  isBest: boolean;
  lossless: { ratio: number; ask: number } | null;
}

type Nothing<T> = { [name in keyof T]?: undefined };

/**
 * What one frame shows: with the scores of its epoch; with the numbers of the frame before,
 * `stale`, while they are on their way; or without a cut.
 */
export type Now = Frame & (
  | (CutNumbers & { ranking: Ranking; stale: false })
  | (CutNumbers & { ranking: null; stale: true })
  | (Nothing<CutNumbers> & { ranking: null; stale: false })
);

/** Work of the server that was asked for here. */
export interface Work {
  status: "idle" | "busy" | "failed" | "done";
  plan?: EpochPlan;
  epoch?: number | null;
  progress?: Progress | null;
  error?: Error & Partial<ApiError>;
  job?: Job | null;
  removed?: number;
  ratio?: number;
  result?: Record<string, any>;
  checkpoint?: Checkpoint;
  [name: string]: any;
}

/** One part of the page that draws itself anew in each frame. */
export interface Panel {
  render(): void;
  /** Between two epochs only the picture moves. */
  move?(): void;
  destroy?(): void;
}

/** Importances in bins, epoch by epoch: `counts` is epochs × bins. */
export interface Histogram {
  rows: number;
  bins: number;
  low: number;
  high: number;
  epochs: number[];
  counts: Uint32Array;
  max: number;
  row: Map<number, Uint32Array>;
  label?: string;
  /** Kept with it once worked out: its axis, and the highest ridge. */
  axis?: any;
  ridgeMax?: number;
}

/** Colours of the scheme as CSS colours, and the font of the page. */
export interface Colours {
  ink: string;
  muted: string;
  line: string;
  surface: string;
  raised: string;
  kept: string;
  gap: string;
  cut: string;
  focus: string;
  font: string;
}

/** A point of a curve as it is drawn. */
export type DrawnPoint = CurvePoint & { x?: number; y?: number };

declare module "./views/view.js" {
  /** What each kind of view says of itself. */
  interface View {
    /** Words, state and button in place of the drawing, or nothing. */
    status(): any;
    /** What the drawing has to know of this frame, for a size in pixels. */
    geometry(width: number, height: number): any;
    /** Another text where the base has to be painted anew. */
    baseKey(): string;
    paintBase(g: CanvasRenderingContext2D, colours: Colours): void;
    paintLive(g: CanvasRenderingContext2D, colours: Colours): void;
    /** The drawing in a sentence. */
    sentence(): string;
    /** What is at a place in pixels. */
    hit(x: number, y: number): any;
    /** What is said of it. */
    tell(target: any): { title: string; rows: string[][]; figure?: Node | null };
    pick(target: any, event: Event): void;
    /** What lies so many steps from it. */
    moved(target: any, dx: number, dy: number): any;
    /** Between two epochs only the picture moves. */
    move?(): void;
  }
}
