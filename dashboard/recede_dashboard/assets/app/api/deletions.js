/** Runs whose deletion was requested in this tab, which then says itself what was freed. */

export const deleting = new Set();
