import { checkAcceptanceRows, numbered } from '../support/acceptance-rows.ts'
import { ACCEPTANCE } from './acceptance.ts'

checkAcceptanceRows('the output', ACCEPTANCE, numbered('asa-Z', 13))
