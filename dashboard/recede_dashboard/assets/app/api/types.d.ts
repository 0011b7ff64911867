/**
 * Answers of the API, as backend/recede/contract/schemas defines them. Times `*_at` are seconds
 * since 1970, durations end in `_s` or `seconds`, sizes in `_bytes`; shares lie in [0, 1].
 */

import type { Cost, Plan } from "../pruning/selection.js";

export type State = "queued" | "running" | "succeeded" | "failed" | "cancelled";

/** What went wrong, and what to do about it. */
export interface ErrorBody {
  code: string;
  message: string;
  field?: string | null;
  hint?: string | null;
  details?: Record<string, any> | null;
}

/**
 * Measured on n of the split's n_split images, or estimated; 95 % interval for new images
 * (low, high) and for the whole split (split_low, split_high).
 */
export interface Accuracy {
  kind: "measured" | "estimated";
  value: number;
  low: number;
  high: number;
  n: number;
  split?: "validation" | "test";
  n_split: number;
  split_low: number;
  split_high: number;
}

export interface Job {
  id: number;
  run_id: string;
  kind: string;
  state: State;
  progress: Progress | null;
  result: Record<string, any> | null;
  error: ErrorBody | null;
  queue_position: number | null;
  stalled_s: number | null;
}

/** How far a job is; which fields there are depends on its kind. */
export interface Progress {
  done?: number;
  total?: number;
  /** An estimate from the images so far. */
  accuracy?: Accuracy;
  [name: string]: any;
}

export interface Run {
  id: string;
  name: string;
  notes: string;
  state: State;
  spec: Record<string, any>;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  cancel_requested_at: number | null;
  stalled_s: number | null;
  queue_position: number | null;
  epochs_done: number;
  progress: Progress | null;
  eta_s: number | null;
  best_epoch: number | null;
  val_accuracy: Accuracy | null;
  test_accuracy: Accuracy | null;
  lossless_ratio: number | null;
  disk_bytes: number;
  error: ErrorBody | null;
  group_id: string | null;
  /** The run whose weights it started from. */
  parent: string | null;
  notices: { code: string; message: string; hint: string | null; epoch: number | null }[];
  data_report: Record<string, any> | null;
  polarisation: Polarisation | null;
  /** Layers that every plan of the run leaves whole. */
  protected: string[];
  /** Of a run that trains elsewhere: it has no weights here; `serving` are the epochs whose cuts are measured there on request, null while nobody does. */
  recording: { metric: Metric | null; best_value: number | null; heard_at: number; serving: number[] | null } | null;
}

/** Any number that a training elsewhere logs; `n` images make an interval possible. */
export interface Metric {
  name: string;
  higher_is_better: boolean;
  unit: string;
  n: number | null;
}

/** Metrics of one epoch; 0 is the untrained network. */
export interface Epoch {
  epoch: number;
  train_loss: number | null;
  train_accuracy: number | null;
  penalty: number | null;
  val_loss: number | null;
  val_accuracy: number | null;
  n_val: number | null;
  lr: number | null;
  images_per_s: number | null;
  seconds: number;
  finished_at: number;
  /** All that a training elsewhere has logged, by name. */
  metrics: Record<string, number>;
}

/** How clearly importances have parted; `valley` is the natural gap, as an importance. */
export interface Polarisation {
  valley: number | null;
  [field: string]: any;
}

export interface EpochPolarisation {
  epoch: number;
  overall: Polarisation;
  layers: Record<string, Polarisation> | null;
}

/** What was measured on one cut network; without images (n = 0) by the metric of a training elsewhere. */
export interface Evaluation {
  id?: number;
  epoch: number;
  digest: string;
  /** Share of all neurons that goes. */
  ratio: number;
  plan?: Plan;
  on_curve: boolean;
  accuracy: Accuracy;
  cost: Cost;
}

/** The cut that one ratio asks for: `ask` is that ratio, `ratio` the share that goes. */
export interface CurvePoint {
  epoch: number;
  criterion: string;
  scope: "global" | "local";
  bias: "drop" | "fold";
  ask: number;
  ratio: number;
  digest: string;
  accuracy: Accuracy;
  cost: Cost;
  plan?: Plan;
}

/** A known cut, from an evaluation or a point of a curve. */
export type Known = Partial<CurvePoint> & Evaluation;

/** Accuracy over the share removed, of one epoch's weights; `job` measures it just now. */
export interface CurveOut {
  checkpoint_id: string | null;
  epoch: number | null;
  criterion: string;
  scope: "global" | "local";
  bias: "drop" | "fold";
  points: CurvePoint[];
  lossless_ratio: number | null;
  dense: Cost | null;
  job: Job | null;
  /** Of a training elsewhere whose metric is no share of counted images, in place of points. */
  values: { ask: number; ratio: number; value: number; cost: Cost }[];
}

/** A named plan that is kept with a run. */
export interface SavedPlan {
  id: number;
  run_id: string;
  name: string;
  notes: string;
  plan: Plan & { epoch?: number | null };
  created_at: number;
  updated_at: number;
}

export interface FileOut {
  size_bytes: number;
  sha256: string;
  url: string;
  filename: string;
}

/** Weights that can be downloaded. */
export interface Checkpoint {
  id: string;
  run_id: string;
  kind: string;
  epoch: number;
  created_at: number;
  size_bytes: number;
  sha256: string;
  formats: string[];
  files: Record<string, FileOut>;
  manifest: Record<string, any>;
}

/** Time of one forward pass of one cut on one device, in milliseconds. */
export interface Latency {
  digest: string;
  ratio: number;
  dense: boolean;
  device: string;
  threads: number;
  batch: number;
  median_ms: number;
  p95_ms: number;
  n: number;
  busy: boolean;
}

/** A way to rank the neurons, from the catalog. */
export interface Criterion {
  name: string;
  label: string;
  help: string;
}

/** Live event of a run, as api/live.js dispatches it. */
export interface LiveEvent {
  id: number;
  type: string;
  run_id: string;
  job_id?: number;
  created_at: number;
  [name: string]: any;
}
