import { checkAcceptanceRows, numbered } from '../support/acceptance-rows.ts'
import { ACCEPTANCE } from './acceptance.ts'

checkAcceptanceRows('the destination', ACCEPTANCE, numbered('seg-S', 22))
