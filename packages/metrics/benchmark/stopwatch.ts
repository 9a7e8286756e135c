/** Runs contestants in turn, several rounds, so that a noisy moment hits all of them; prints the median of each. */
export function compare(
  contestants: Record<string, (times: number) => void>,
  times: number,
  rounds = 7,
): void {
  const nanos = new Map<string, number[]>(Object.keys(contestants).map((name) => [name, []]))
  for (const run of Object.values(contestants)) run(Math.ceil(times / 10))
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(contestants)) {
      const start = process.hrtime.bigint()
      run(times)
      nanos.get(name)!.push(Number(process.hrtime.bigint() - start) / times)
    }
  }
  for (const [name, all] of nanos) {
    all.sort((one, other) => one - other)
    const [best, median, worst] = [all[0]!, all[all.length >> 1]!, all.at(-1)!]
    const figures = [median, best, worst].map((each) => each.toFixed(1).padStart(8)).join(' ')
    console.log(`${name.padEnd(48)}${figures} ns (median, best, worst)`)
  }
}

/** Durations as a web server has them: log-normal around 5 ms, in microseconds. Always the same ones. */
export function durations(count: number): Float64Array {
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state + 1) / 2 ** 32
  }
  return new Float64Array(count).map(() => {
    const normal = Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())
    return Math.round(5000 * Math.exp(0.6 * normal))
  })
}
