package contacts

import (
	"aver/frame/module"
	"aver/vault"
)

// Number is this module's number among those that bring migrations.
const Number = 4

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:       "contacts",
		Number:     Number,
		Migrations: migrations,
		Tables:     []vault.AnyTable{Contacts, Changes, Notes},
		Actions:    []*vault.Action{actRead, actView, actCreate, actUpdate, actClaim, actVerify, actNote, actMerge, actUnmerge, actBlock, actArchive},
	}
}
