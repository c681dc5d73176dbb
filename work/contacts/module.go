package contacts

import (
	"aver/frame/module"
	"aver/vault"
	"aver/work/contacts/attributes"
	"aver/work/contacts/notes"
)

// Number is this module's number among those that bring migrations.
const Number = 4

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:       "contacts",
		Number:     Number,
		Migrations: migrations,
		Tables:     tables,
		Actions: append([]*vault.Action{actMatch, actRead, actView, actCreate, actUpdate, actClaim, actSeen, actVerify, notes.Act, actMerge, actUnmerge,
			actBlock, actArchive, actTag, actLabel, actSegment}, attributes.Actions...),
	}
}
