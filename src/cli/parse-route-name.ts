import { fail, type Result, succeed } from '#base/result.ts'

/** A route with its virtual router, as people write it: `serviceB/serviceB`. */
export function parseRouteName(text: string): Result<{ readonly router: string; readonly route: string }, string> {
	const [router, route, ...more] = text.split('/')
	if (router && route && more.length === 0) return succeed({ router, route })
	return fail(`${JSON.stringify(text)} names no route: write it as ROUTER/ROUTE`)
}
