export async function measureIdle(_processor: number): Promise<void> {}
